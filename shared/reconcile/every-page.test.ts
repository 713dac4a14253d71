import { Buffer } from 'node:buffer'
import { PageTooLarge } from '@freshet/adapters/elasticsearch/read-page.ts'
import type { Hit } from '@freshet/records/hit.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Ask, everyPage } from './every-page.ts'

interface Shard {
  readonly seqNos: readonly number[]
  readonly maxPageRows: number
  readonly maxResultWindow: number
}

/** By one search each, as Elasticsearch answers. */
function searches({ seqNos, maxPageRows, maxResultWindow }: Shard, asked: Ask[] = []) {
  const all = seqNos.map((seqNo, i) => ({ id: `${i}`, seqNo })).sort((a, b) => a.seqNo - b.seqNo)
  return async (ask: Ask): Promise<readonly Hit[]> => {
    asked.push(ask)
    const { from, rows, isLeast } = ask
    if (rows > maxResultWindow) throw new PageTooLarge('window', maxResultWindow)
    const ahead = all.filter(({ seqNo }) => (from.inclusive ? seqNo >= from.seqNo : seqNo > from.seqNo))
    const page = ahead.slice(0, rows)
    if (page.length > maxPageRows && !isLeast) throw new PageTooLarge('bytes')
    return page.map(({ id, seqNo }) => hitOf(id, seqNo))
  }
}

function hitOf(id: string, seqNo: number): Hit {
  return { index: 'i', id, seqNo, primaryTerm: 1, source: Buffer.alloc(0), isInScope: true }
}

async function idsOf(read: (ask: Ask) => Promise<readonly Hit[]>): Promise<Set<string>> {
  const ids = new Set<string>()
  for await (const hits of everyPage(read)) for (const { id } of hits) ids.add(id)
  return ids
}

test('every document is read, however often numbers repeat and however little fits into a page', async () => {
  const shard = fc.record({
    seqNos: fc.array(fc.nat(12), { maxLength: 60 }),
    maxPageRows: fc.integer({ min: 1, max: 8 }),
    maxResultWindow: fc.integer({ min: 61, max: 20_000 }),
  })
  await fc.assert(
    fc.asyncProperty(shard, async (one) => {
      const asked: Ask[] = []
      expect((await idsOf(searches(one, asked))).size).toBe(one.seqNos.length)
      expect(asked.length).toBeLessThan(20 + 4 * one.seqNos.length)
    }),
  )
})

test('a number that repeats more often than the index allows rows is an error, not an endless reading', async () => {
  const shard = { seqNos: Array.from({ length: 9 }, () => 3), maxPageRows: 100, maxResultWindow: 7 }
  await expect(idsOf(searches(shard))).rejects.toMatchObject({ code: 'SEARCH_PARTIAL' })
})

test('a server that has no memory for one row is told, not asked for ever', async () => {
  const full = async () => Promise.reject(new PageTooLarge('no memory'))
  await expect(idsOf(full)).rejects.toBeInstanceOf(PageTooLarge)
})

test('after a page that was too large, rows come back', async () => {
  const asked: Ask[] = []
  const read = searches(
    { seqNos: Array.from({ length: 30_000 }, (_, i) => i), maxPageRows: 10_000, maxResultWindow: 10_000 },
    asked,
  )
  let isFull = true
  const onceFull = async (ask: Ask) => {
    if (!isFull) return await read(ask)
    isFull = false
    throw new PageTooLarge('no memory')
  }
  await idsOf(onceFull)
  expect(asked[0]!.rows).toBe(5_000)
  expect(Math.max(...asked.map(({ rows }) => rows))).toBeGreaterThan(9_000)
})
