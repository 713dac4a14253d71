import { randomUUID } from 'node:crypto'
import { type BatchRow, scoreBatchOf, storedScoreAt } from '@freshet/records/score-batch.kit.ts'
import type { ScoreBatch } from '@freshet/records/score-batch.ts'
import { rowsOfBatch, type StoredRows } from '@freshet/records/stored-rows.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ScoreStore } from './score-store.ts'

/** A promise that a store does not keep, and why not. */
export interface Skip {
  readonly promise: string
  readonly reason: string
}

/** What every score store promises. Keys are random, so a store may hold what others have left. */
export function scoreStoreContract(name: string, open: () => Promise<ScoreStore>, skip: Skip[] = []): void {
  function promise(words: string, keep: (store: ScoreStore, key: string) => Promise<void>): void {
    const skipped = skip.find((one) => one.promise === words)
    test.skipIf(skipped !== undefined)(skipped ? `${words} (${skipped.reason})` : words, async () => {
      await using store = await open()
      await keep(store, `contract/${randomUUID()}`)
    })
  }

  describe(`${name} as a score store`, () => {
    promise('a key that was never written is undefined', async (store, key) => {
      expect(await store.get(key)).toBeUndefined()
    })

    promise('what is read is what was stored, field for field', async (store, key) => {
      const batch = batchOf([
        { key, seqNo: 2 ** 53 - 1, epoch: 2 ** 47, score: 0.1 + 0.2 },
        { key: `${key}/ü 💧`, score: -0.000123 },
      ])
      await store.merge(rowsOfBatch(batch))
      expect(await store.get(key)).toEqual(storedScoreAt(batch, 0))
      expect(await store.get(`${key}/ü 💧`)).toEqual(storedScoreAt(batch, 1))
    })

    promise('the highest rank wins, in whatever order and grouping the rows arrive', async (store, key) => {
      let trials = 0
      const batches = fc.array(
        fc.record({ generation: fc.nat(3), seqNos: fc.array(fc.nat(5), { minLength: 1 }) }),
      )
      await fc.assert(
        fc.asyncProperty(batches, async (some) => {
          const trialKey = `${key}/${trials++}`
          for (const { generation, seqNos } of some)
            await store.merge(rowsOf(seqNos.map((seqNo) => ({ key: trialKey, seqNo, generation }))))
          const written = some.flatMap(({ generation, seqNos }) => seqNos.map((seqNo) => [seqNo, generation]))
          const highest = written.sort(([a, g], [b, h]) => a! - b! || g! - h!).at(-1)
          const kept = await store.get(trialKey)
          expect(kept && [kept.rank.revision.seqNo, kept.rank.modelGeneration]).toEqual(highest)
        }),
        { numRuns: 30 },
      )
    })

    promise('a tie changes nothing', async (store, key) => {
      await store.merge(rowsOf([{ key, seqNo: 5, score: 0.5 }]))
      await store.merge(rowsOf([{ key, seqNo: 5, score: 0.9 }]))
      expect((await store.get(key))?.outputs).toEqual({ delay: 0.5 })
    })

    promise('of one key twice in a batch the higher rank is kept', async (store, key) => {
      await store.merge(rowsOf([5, 7, 6].map((seqNo) => ({ key, seqNo, score: seqNo }))))
      expect((await store.get(key))?.outputs).toEqual({ delay: 7 })
    })

    promise('a late older write does not resurrect a deleted key', async (store, key) => {
      await store.merge(rowsOf([{ key, seqNo: 2, state: 'deleted' }]))
      await store.merge(rowsOf([{ key, seqNo: 1, score: 0.7 }]))
      expect(await store.get(key)).toMatchObject({ state: 'deleted', outputs: {} })
    })

    promise('a key that is written again after its delete lives', async (store, key) => {
      await store.merge(rowsOf([{ key, seqNo: 2, state: 'deleted' }]))
      await store.merge(rowsOf([{ key, seqNo: 3, score: 0.7 }]))
      expect(await store.get(key)).toMatchObject({ state: 'scored', outputs: { delay: 0.7 } })
    })

    promise('a document that cannot be scored hides its older score', async (store, key) => {
      await store.merge(rowsOf([{ key, seqNo: 1, score: 0.7 }]))
      await store.merge(rowsOf([{ key, seqNo: 2, state: 'unscorable' }]))
      expect(await store.get(key)).toMatchObject({ state: 'unscorable', outputs: {} })
    })

    promise('a batch of many keys is stored whole', async (store, key) => {
      const rows = Array.from({ length: 1_000 }, (_, i) => ({ key: `${key}/${i}`, score: i }))
      await store.merge(rowsOf(rows))
      const kept = await Promise.all(rows.map((row) => store.get(row.key)))
      expect(kept.map((score) => score?.outputs.delay)).toEqual(rows.map((row) => row.score))
    })

    promise('an empty batch changes nothing', async (store, key) => {
      await store.merge(rowsOf([]))
      expect(await store.get(key)).toBeUndefined()
    })
  })
}

/** One row of a batch, with its only output as `score`. */
export interface Row extends Omit<BatchRow, 'outputs'> {
  readonly generation?: number
  readonly score?: number
}

/** A batch with one output, `delay`. All rows share the generation of the first. */
export function batchOf(rows: readonly Row[]): ScoreBatch {
  const model = { name: 'delay', version: '1', generation: rows[0]?.generation ?? 1 }
  return scoreBatchOf(
    rows.map(({ score = Number.NaN, ...row }) => ({ ...row, outputs: [score] })),
    { model },
  )
}

/** The rows of such a batch, as stores take them. */
export function rowsOf(rows: readonly Row[]): StoredRows {
  return rowsOfBatch(batchOf(rows))
}
