import { Buffer } from 'node:buffer'
import { scoreBatchOf } from '@freshet/records/score-batch.kit.ts'
import { ROW_STATES } from '@freshet/records/score-batch.ts'
import { rowsOfBatch, type StoredRows } from '@freshet/records/stored-rows.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CollectedKeys } from './collected-keys.ts'
import { Join, type JoinedShard } from './verify-join.ts'
import { type HeldRow, judge } from './verify-judge.ts'
import { emptyTally, STANDINGS, type Standing } from './verify-report.ts'

/** Each makes two tables, which take a millisecond. */
const RUNS = { numRuns: 50 }
const LIVE_EPOCHS = [100, 200, 300]
const context = { generation: 2, isLiveEpoch: (epoch: number) => LIVE_EPOCHS.includes(epoch) }

interface World {
  readonly documents: ReadonlyMap<string, number>
  readonly checkpoint: number
  readonly captured: { readonly epoch: number; readonly seqNo: number } | null
}

async function joined({ documents, checkpoint, captured }: World): Promise<JoinedShard> {
  const live = new CollectedKeys()
  for (const [key, seqNo] of documents) {
    const bytes = Buffer.from(key)
    live.add(bytes, 0, bytes.length, seqNo)
  }
  return { table: await live.seal(), checkpoint, captured, tally: emptyTally() }
}

type Row = Pick<HeldRow, 'state' | 'modelGeneration'> & { epoch: number; seqNo: number }

/** As pages of one generation each. */
function pagesOf(rows: ReadonlyMap<string, Row>): StoredRows[] {
  return [1, 2, 3].map((generation) => {
    const mine = [...rows].filter(([, row]) => row.modelGeneration === generation)
    const batch = scoreBatchOf(
      mine.map(([key, row]) => ({ key, ...row })),
      { model: { name: 'm', version: '1', generation } },
    )
    return rowsOfBatch(batch)
  })
}

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
const documents = fc.dictionary(key, fc.nat(20)).map((entries) => new Map(Object.entries(entries)))
const row = fc.record({
  epoch: fc.constantFrom(50, ...LIVE_EPOCHS, 400),
  seqNo: fc.nat(20),
  state: fc.constantFrom(...ROW_STATES),
  modelGeneration: fc.constantFrom(1, 2, 3),
})
const rows = fc.dictionary(key, row).map((entries) => new Map(Object.entries(entries)))
const shard = (epoch: number) =>
  fc.record({
    documents,
    checkpoint: fc.integer({ min: 10, max: 20 }),
    captured: fc.option(fc.record({ epoch: fc.constant(epoch), seqNo: fc.integer({ min: -1, max: 20 }) }), {
      freq: 6,
    }),
  })

/** How one document stands, by the plainest means. */
function plainStanding({ captured }: World, seqNo: number, there: Row | undefined): Standing {
  if (captured === null) return 'pending'
  const revision = { documentVersion: 0, epoch: captured.epoch, primaryTerm: 1, seqNo }
  const held = there && { ...there, revision: { documentVersion: 0, primaryTerm: 1, ...there } }
  const { standing } = judge(revision, held, context)
  const isCurrent = ['scored', 'olderModel', 'newerModel', 'setAside'].includes(standing)
  return !isCurrent && seqNo > captured.seqNo ? 'pending' : standing
}

test('every living document up to the checkpoint is counted once, as the plainest comparison would', async () => {
  await fc.assert(
    fc.asyncProperty(shard(100), shard(200), rows, async (first, second, held) => {
      const worlds = [first, second]
      const shards = await Promise.all(worlds.map(joined))
      const join = new Join({ shards, context, isKeyOfOneIndex: false, hasVersions: false })
      for (const page of pagesOf(held))
        for (const suspect of join.add(page).suspects) {
          const { epoch } = suspect.shard.captured!
          const revision = { documentVersion: 0, epoch, primaryTerm: 1, seqNo: suspect.seqNo }
          suspect.shard.tally[judge(revision, suspect.row, context).standing]++
        }
      for (const [at, { table, tally, captured, checkpoint }] of shards.entries()) {
        for (const seqNo of table.unmetSeqNos(checkpoint))
          if (seqNo <= checkpoint)
            tally[captured === null || seqNo > captured.seqNo ? 'pending' : 'missing']++
        const expected = emptyTally()
        for (const [name, seqNo] of worlds[at]!.documents)
          if (seqNo <= checkpoint) expected[plainStanding(worlds[at]!, seqNo, held.get(name))]++
        for (const standing of STANDINGS)
          expect([standing, tally[standing]]).toEqual([standing, expected[standing]])
      }
    }),
    RUNS,
  )
}, 30_000)

test('a score is extra when its document does not live, unless it was written later or is another shard’s to judge', async () => {
  await fc.assert(
    fc.asyncProperty(shard(100), shard(200), rows, async (first, second, held) => {
      const worlds = [first, second]
      const shards = await Promise.all(worlds.map(joined))
      const join = new Join({ shards, context, isKeyOfOneIndex: false, hasVersions: false })
      const extras = pagesOf(held).flatMap((page) => join.add(page).extras)
      const expected = [...held].filter(([name, { state, epoch, seqNo }]) => {
        if (state === 'deleted' || worlds.some((world) => world.documents.has(name))) return false
        const owner = worlds.find(({ captured }) => captured?.epoch === epoch)
        return owner === undefined ? !LIVE_EPOCHS.includes(epoch) : seqNo <= owner.checkpoint
      })
      const names = (list: readonly string[]) => [...list].sort()
      expect(names(extras.map(({ key: bytes }) => bytes.toString()))).toEqual(
        names(expected.map(([name]) => name)),
      )
    }),
    RUNS,
  )
}, 30_000)

test('where a version decides, a row of another epoch is looked at again instead of trusted', async () => {
  const shards = [
    await joined({ documents: new Map([['a', 5]]), checkpoint: 9, captured: { epoch: 100, seqNo: 9 } }),
  ]
  const page = pagesOf(new Map([['a', { epoch: 200, seqNo: 1, state: 'scored', modelGeneration: 2 }]]))[1]!
  const join = new Join({ shards, context, isKeyOfOneIndex: false, hasVersions: true })
  expect(join.add(page).suspects).toMatchObject([{ seqNo: 5, row: { revision: { epoch: 200 } } }])
})

test('a document whose key was buried with an earlier life of its index is not overlooked', async () => {
  const shards = [
    await joined({ documents: new Map([['a', 5]]), checkpoint: 9, captured: { epoch: 100, seqNo: 9 } }),
  ]
  const buried = { epoch: 50, seqNo: Number.MAX_SAFE_INTEGER, state: 'deleted', modelGeneration: 2 } as const
  const join = new Join({ shards, context, isKeyOfOneIndex: true, hasVersions: false })
  expect(join.add(pagesOf(new Map([['a', buried]]))[1]!).suspects).toMatchObject([{ seqNo: 5 }])
})

test('a delete in one shard of an index is put beside a document that lives in another, through routing', async () => {
  const living = { documents: new Map([['a', 5]]), checkpoint: 9, captured: { epoch: 100, seqNo: 9 } }
  const deleting = { documents: new Map(), checkpoint: 9, captured: { epoch: 200, seqNo: 9 } }
  const shards = [await joined(living), await joined(deleting)]
  const page = pagesOf(new Map([['a', { epoch: 200, seqNo: 7, state: 'deleted', modelGeneration: 2 }]]))[1]!
  const join = new Join({ shards, context, isKeyOfOneIndex: true, hasVersions: false })
  expect(join.add(page)).toMatchObject({
    suspects: [{ shard: shards[0], seqNo: 5, row: { revision: { epoch: 200 }, state: 'deleted' } }],
    extras: [],
  })
})

test('the highest generation of all rows is known, also of those that speak of nothing that lives', async () => {
  const join = new Join({ shards: [], context, isKeyOfOneIndex: true, hasVersions: false })
  expect(join.newestGeneration).toBe(0)
  const dead = { epoch: 50, seqNo: 1, state: 'deleted' } as const
  const rows = new Map(
    [1, 3, 2].map((modelGeneration) => [`${modelGeneration}`, { ...dead, modelGeneration }]),
  )
  for (const page of pagesOf(rows)) join.add(page)
  expect(join.newestGeneration).toBe(3)
})

test('rows that say why there is no score are handed out by name', async () => {
  const shards = [
    await joined({ documents: new Map([['a', 5]]), checkpoint: 9, captured: { epoch: 100, seqNo: 9 } }),
  ]
  const page = pagesOf(
    new Map([['a', { epoch: 100, seqNo: 5, state: 'unscorable', modelGeneration: 2 }]]),
  )[1]!
  const join = new Join({ shards, context, isKeyOfOneIndex: true, hasVersions: false })
  expect(join.add(page).setAside.map(String)).toEqual(['a'])
  expect(shards[0]!.tally).toMatchObject({ setAside: 1, scored: 0 })
})
