import { Buffer } from 'node:buffer'
import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import type { Manifest } from '@freshet/records/manifest.ts'
import { scoreBatchOf } from '@freshet/records/score-batch.kit.ts'
import type { ScoreBatch } from '@freshet/records/score-batch.ts'
import { plainMerge, scoreBatches } from '@freshet/records/score-batches.kit.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { manifestWith, partitionWith, putSnapshotFile } from '../bucket.kit.ts'
import { objectKey } from '../manifest.ts'
import { manyRows } from '../rows.kit.ts'
import { counted } from './counted-store.kit.ts'
import { RANGE_READ_LIMITS, RangeReads } from './range-reads.ts'
import { RangedSnapshot } from './ranged-snapshot.ts'

const signal = new AbortController().signal
const NO_MEMORY = 0

/** Of several pages, the last of which is not full: 5 × 4,096 rows. */
const ROWS = 18_000
const keyAt = (i: number) => `flights/${`${i}`.padStart(6, '0')}`

test('of every key that is found which a plain merge of all files holds, field for field, and no other key', async () => {
  const inTables = fc.constantFrom(NO_MEMORY, 72, 720, 2 ** 30)
  await fc.assert(
    fc.asyncProperty(scoreBatches, inTables, fc.boolean(), async (batches, memoryBytes, withBase) => {
      const world = new World({ memoryBytes, partitions: 1 })
      const files = await Promise.all(
        batches.map((batch, i) => putSnapshotFile(world.store, `0/${i}`, batch)),
      )
      const [base = null, ...deltas] = files
      await world.take({ 0: partitionWith(withBase ? { base, deltas } : { deltas: files }) })
      const expected = plainMerge(batches)
      for (const [key, score] of expected) expect(await world.find(key)).toEqual(score)
      for (const key of ['never', 'a/', '\u{10ffff}'])
        if (!expected.has(key)) expect(await world.find(key)).toBeUndefined()
    }),
    { numRuns: 60 },
  )
})

test('a key in a file of many pages costs two round trips, one that is not there one, and both none the next time', async () => {
  const world = new World()
  await world.take({
    0: partitionWith({
      base: await putSnapshotFile(world.store, '0/base', manyRows(0, ROWS)),
      deltas: [await putSnapshotFile(world.store, '0/delta', manyRows(5_000, 9_000))],
    }),
  })
  for (const i of [0, 1, 4_095, 4_096, 5_000, 8_191, 12_287, 13_999, ROWS - 1]) {
    world.asked.forget()
    expect((await world.find(keyAt(i)))?.outputs).toEqual({ delay: i })
    expect(world.asked.roundTrips).toBeLessThanOrEqual(2)
  }
  world.asked.forget()
  expect((await world.find(keyAt(13_999)))?.outputs).toEqual({ delay: 13_999 })
  expect(world.asked.keys).toEqual([])
  expect(await world.find(`${keyAt(9_000)}x`)).toBeUndefined()
  expect(await world.find('a key before all')).toBeUndefined()
  expect(await world.find('zebra')).toBeUndefined()
  expect(world.asked.roundTrips).toBeLessThanOrEqual(3)
})

test('those who ask for one page at the same time wait for the same requests', async () => {
  const world = new World()
  await world.take({
    0: partitionWith({ base: await putSnapshotFile(world.store, '0/base', manyRows(0, ROWS)) }),
  })
  world.asked.forget()
  await world.find(keyAt(100))
  const alone = world.asked.keys.length
  world.asked.forget()
  const keys = Array.from({ length: 50 }, (_, i) => keyAt(6_000 + i))
  const scores = await Promise.all(keys.map((key) => world.find(key)))
  expect(scores.map((score) => score?.key)).toEqual(keys)
  expect(world.asked.keys).toHaveLength(alone)
  expect(world.asked.roundTrips).toBe(2)
})

test('only files of the key’s partition are asked; with a wrong number of partitions those of all, and it is found', async () => {
  const batches = [0, 1, 2, 3].map((partition) =>
    only(manyRows(0, 40_000), (key) => partitionOf(key, 4) === partition),
  )
  for (const [partitions, asks] of [
    [4, 1],
    [5, 4],
  ] as const) {
    const world = new World({ partitions })
    const all: Record<string, ReturnType<typeof partitionWith>> = {}
    for (const [i, batch] of batches.entries())
      all[i] = partitionWith({ base: await putSnapshotFile(world.store, `${i}/base`, batch) })
    await world.take(all)
    await world.take(all)
    expect(world.warnings).toBe(asks === 1 ? 0 : 1) // at the first of both looks
    world.asked.forget()
    expect((await world.find(keyAt(777)))?.outputs).toEqual({ delay: 777 })
    expect(new Set(world.asked.keys).size).toBe(asks)
    expect(world.asked.roundTrips).toBe(2)
  }
})

test('small files are held in memory: what they say is said at once, and of both the higher rank is found', async () => {
  const world = new World({ memoryBytes: 200 * 64 })
  const newer = scoreBatchOf([{ key: keyAt(7), seqNo: 99_999, outputs: [-1] }], {
    model: { name: 'delay', version: '1', generation: 1 },
    outputs: ['delay'],
  })
  const base = await putSnapshotFile(world.store, '0/base', manyRows(0, ROWS))
  const delta = await putSnapshotFile(world.store, '0/delta', newer)
  await world.take({ 0: partitionWith({ base, deltas: [delta] }) })
  expect(world.snapshot.get(keyAt(7))?.outputs).toEqual({ delay: -1 })
  expect(world.snapshot.get(keyAt(8))).toBeUndefined()
  expect((await world.find(keyAt(7)))?.outputs).toEqual({ delay: -1 })
  expect((await world.find(keyAt(8)))?.outputs).toEqual({ delay: 8 })
  expect(world.snapshot.keys).toBe(1)
  await world.take({ 0: partitionWith({ base }) })
  expect(world.snapshot.get(keyAt(7))).toBeUndefined()
  expect(world.snapshot.keys).toBe(0)
})

test('of equal ranks the older file is found, also where memory holds the newer one', async () => {
  const world = new World({ memoryBytes: 200 * 64 })
  const again = manyRows(7, 1)
  const base = await putSnapshotFile(world.store, '0/base', manyRows(0, ROWS))
  const delta = await putSnapshotFile(world.store, '0/delta', {
    ...again,
    header: { ...again.header, scoredAtMs: 2 },
  })
  await world.take({ 0: partitionWith({ base, deltas: [delta] }) })
  expect(world.snapshot.keys).toBe(1)
  expect((await world.find(keyAt(7)))?.scoredAtMs).toBe(1)
})

test('a partition of which a file is damaged is answered from its files of before; the others go on', async () => {
  const world = new World({ partitions: 5 })
  const base = await putSnapshotFile(world.store, '0/base', manyRows(0, ROWS))
  await world.take({ 0: partitionWith({ base }) })
  const damaged = await putSnapshotFile(world.store, '0/next', manyRows(0, ROWS + 1))
  await world.store.put(objectKey('0/next'), Buffer.alloc(damaged.bytes))
  const other = await putSnapshotFile(world.store, '1/base', manyRows(ROWS, 10))
  const partitions = { 0: partitionWith({ base: damaged }), 1: partitionWith({ base: other }) }
  for (let look = 0; look < 2; look++)
    await expect(world.take(partitions)).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' })
  expect((await world.find(keyAt(5)))?.outputs).toEqual({ delay: 5 })
  expect((await world.find(keyAt(ROWS + 3)))?.outputs).toEqual({ delay: ROWS + 3 })
})

test('while a file is damaged the others of its partition are not read again at each look', async () => {
  const world = new World()
  const base = await putSnapshotFile(world.store, '0/base', manyRows(0, ROWS))
  const damaged = await putSnapshotFile(world.store, '0/delta', manyRows(0, ROWS + 1))
  await world.store.put(objectKey('0/delta'), Buffer.alloc(damaged.bytes))
  const partitions = { 0: partitionWith({ base, deltas: [damaged] }) }
  await expect(world.take(partitions)).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' })
  expect(world.asked.keys).toContain(objectKey('0/base'))
  world.asked.forget()
  await expect(world.take(partitions)).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' })
  expect(new Set(world.asked.keys)).toEqual(new Set([objectKey('0/delta')]))
  await putSnapshotFile(world.store, '0/delta', manyRows(0, ROWS + 1))
  world.asked.forget()
  await world.take(partitions)
  expect(world.asked.keys).not.toContain(objectKey('0/base'))
  expect((await world.find(keyAt(ROWS)))?.outputs).toEqual({ delay: ROWS })
})

test('a file that retention took away is told, and is not asked for after the next look', async () => {
  const world = new World()
  const base = await putSnapshotFile(world.store, '0/base', manyRows(0, ROWS))
  await world.take({ 0: partitionWith({ base }) })
  await world.store.delete(objectKey('0/base'))
  await expect(world.find(keyAt(5))).rejects.toMatchObject({ code: 'SNAPSHOT_FILE_MISSING' })
  await world.take({
    0: partitionWith({ base: await putSnapshotFile(world.store, '0/merged', manyRows(0, ROWS)) }),
  })
  expect((await world.find(keyAt(5)))?.outputs).toEqual({ delay: 5 })
})

test('a page that was damaged since its file was opened is told, and is not another score', async () => {
  const world = new World()
  const base = await putSnapshotFile(world.store, '0/base', manyRows(0, ROWS))
  await world.take({ 0: partitionWith({ base }) })
  const { body } = await world.store.get(objectKey('0/base'))
  await world.store.put(objectKey('0/base'), body.fill(0x5a, 4, body.length - 60_000))
  await expect(world.find(keyAt(5))).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' })
})

test('the index of a file takes less than a byte for ten rows', async () => {
  const world = new World()
  await world.take({
    0: partitionWith({ base: await putSnapshotFile(world.store, '0/base', manyRows(0, 200_000)) }),
  })
  expect(world.snapshot.bytes).toBeLessThan(20_000)
})

class World {
  readonly store
  readonly asked
  readonly snapshot: RangedSnapshot
  warnings = 0
  #sequence = 0

  constructor({ memoryBytes = NO_MEMORY, partitions = 1 } = {}) {
    const { store, asked } = counted(new MemoryObjectStore())
    this.store = store
    this.asked = asked
    const reads = new RangeReads(store, RANGE_READ_LIMITS)
    const log = { ...quietLog, warn: () => void this.warnings++ }
    this.snapshot = new RangedSnapshot({
      store,
      reads,
      memoryBytes,
      hasVersions: false,
      partitions,
      partitionOf,
      log,
    })
  }

  take(partitions: Manifest['partitions']): Promise<number> {
    return this.snapshot.take(manifestWith(partitions, ++this.#sequence), signal)
  }

  find(key: string) {
    return this.snapshot.find(key)
  }
}

/** Those rows whose key fits. */
function only({ header, rows }: ScoreBatch, fits: (key: Buffer) => boolean): ScoreBatch {
  const kept = Array.from({ length: rows.count }, (_, i) => i).filter((i) =>
    fits(Buffer.from(rows.keys.subarray(rows.keyOffsets[i], rows.keyOffsets[i + 1]))),
  )
  return scoreBatchOf(
    kept.map((i) => ({
      key: Buffer.from(rows.keys.subarray(rows.keyOffsets[i], rows.keyOffsets[i + 1])).toString(),
      seqNo: rows.seqNos[i]!,
      outputs: [rows.outputs[0]![i]!],
    })),
    { model: header.model, outputs: header.outputs },
  )
}
