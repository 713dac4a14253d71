import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import type { Rank } from '@freshet/records/revision.ts'
import { ROW_STATES } from '@freshet/records/score-batch.ts'
import { plainMerge, scoreBatches } from '@freshet/records/score-batches.kit.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'
import { keyBytes } from '@freshet/snapshot/keys.ts'
import { manyRows } from '@freshet/snapshot/rows.kit.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { heldRows } from './held-rows.ts'
import { putSnapshot } from './snapshot.kit.ts'

const signal = new AbortController().signal

test('of each key the row of highest rank is told, whatever file holds it, and tombstones too', async () => {
  await fc.assert(
    fc.asyncProperty(scoreBatches, async (batches) => {
      const store = new MemoryObjectStore()
      const held = new Map<string, Pick<StoredScore, 'rank' | 'state'>>()
      for await (const page of heldRows(store, await putSnapshot(store, [batches]), signal))
        for (let row = 0; row < page.count; row++) {
          const rank: Rank = {
            revision: {
              documentVersion: page.documentVersions[row]!,
              epoch: page.epochs[row]!,
              primaryTerm: page.primaryTerms[row]!,
              seqNo: page.seqNos[row]!,
            },
            modelGeneration: page.modelGenerations[row]!,
          }
          held.set(Buffer.from(keyBytes(page, row)).toString(), {
            rank,
            state: ROW_STATES[page.states[row]!]!,
          })
        }
      const expected = [...plainMerge(batches)].map(
        ([key, { rank, state }]) => [key, { rank, state }] as const,
      )
      expect(held).toEqual(new Map(expected))
    }),
    { numRuns: 60 },
  )
})

test('partition comes after partition, and the reading can be given up between two pages', async () => {
  const store = new MemoryObjectStore()
  const manifest = await putSnapshot(store, [[manyRows(0, 5_000)], [], [manyRows(7_000, 10)]])
  const counts: number[] = []
  for await (const page of heldRows(store, manifest, signal)) counts.push(page.count)
  expect(counts).toEqual([4_096, 904, 10])

  const stop = new AbortController()
  const reading = async () => {
    for await (const _ of heldRows(store, manifest, stop.signal)) stop.abort()
  }
  await expect(reading()).rejects.toMatchObject({ code: 'DEADLINE' })
})

test('outputs are not read: a file is fetched as far as its ranks', async () => {
  const store = new MemoryObjectStore()
  const manifest = await putSnapshot(store, [[manyRows(0, 10)]])
  for await (const page of heldRows(store, manifest, signal)) expect(page.outputs).toEqual([])
})
