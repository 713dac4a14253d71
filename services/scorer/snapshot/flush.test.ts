import type { Lease } from '@freshet/adapters/kafka/consumer.ts'
import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { settingsSchema } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore, PutCondition } from '@freshet/ports/object-store.ts'
import type { ScoreBatch } from '@freshet/records/score-batch.ts'
import { ServiceState } from '@freshet/service/service-state.ts'
import { filesOf, objectKey, readManifest } from '@freshet/snapshot/manifest.ts'
import { openSnapshotFile } from '@freshet/snapshot/parquet/read.ts'
import { manyRows, plainMerge, scoreBatches } from '@freshet/snapshot/rows.kit.ts'
import { SnapshotTable } from '@freshet/snapshot/snapshot-table.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { quietTelemetry } from '@freshet/telemetry/telemetry.kit.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type FlushParts, mergeWhereDue, writeDeltas } from './flush.ts'
import { HeldScores } from './held-scores.ts'

const signal = new AbortController().signal

/**
 * Every crash point: the process dies at any of its writes (before it, or after it without having heard so), again and
 * again. Real are files, merges, manifests and their conditional puts; modelled are the store and Kafka, a list of
 * batches. After each death the snapshot is read as an analyst would, and must hold exactly what its offsets say.
 */
test('a crash at any write leaves a readable snapshot, and the next worker completes it', async () => {
  const deaths = fc.array(fc.record({ afterWrites: fc.nat(6), heard: fc.boolean() }), { maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(
      scoreBatches,
      fc.integer({ min: 1, max: 3 }),
      deaths,
      async (batches, maxDeltas, lives) => {
        const store = new MemoryObjectStore()
        for (const life of lives) {
          const error = await work(new Mortal(store, life), batches, maxDeltas).catch(
            (reason: unknown) => reason,
          )
          if (error !== undefined) expect(error).toMatchObject({ code: 'S3_REFUSED' })
          await expectSnapshot(store, batches)
        }
        await work(store, batches, maxDeltas)
        expect(await expectSnapshot(store, batches)).toBe(batches.length)
      },
    ),
    { numRuns: 60 },
  )
})

test('a zombie that wakes up late writes nothing, and the snapshot stays the other worker’s', async () => {
  const store = new MemoryObjectStore()
  const batches = [manyRows(0, 10), manyRows(5, 10), manyRows(100, 3)]
  const zombie = new HeldScores([0], undefined)
  zombie.add(0, 0, batches[0]!, lease)
  await work(store, batches, 2)
  const late = writeDeltas(zombie, zombie.take(), partsOn(store, 2), signal)
  await expect(late).rejects.toMatchObject({ code: 'MANIFEST_FENCED' })
  expect(await expectSnapshot(store, batches)).toBe(3)
})

test('while the store is away the same file is put again until it is back', async () => {
  const store = new Flaky(3)
  await work(store, [manyRows(0, 10)], 2)
  expect(await expectSnapshot(store, [manyRows(0, 10)])).toBe(1)
  expect((await store.list('snapshots/0/')).length).toBe(1)
})

test('a stop while the store is away ends the waiting', async () => {
  const held = new HeldScores([0], undefined)
  held.add(0, 0, manyRows(0, 1), lease)
  const parts = partsOn(new Flaky(Number.POSITIVE_INFINITY), 2)
  const writing = writeDeltas(held, held.take(), parts, AbortSignal.timeout(30))
  await expect(writing).rejects.toMatchObject({ code: 'S3_UNREACHABLE' })
})

test('a damaged base is left as it is: deltas go on, and nothing that was stored is lost', async () => {
  const store = new MemoryObjectStore()
  await work(store, [manyRows(0, 10), manyRows(10, 10)], 2)
  const { base } = (await readManifest(store))!.manifest.partitions[0]!
  const whole = (await store.get(objectKey(base!.object))).body
  await store.put(objectKey(base!.object), whole.subarray(0, 100))
  await work(store, [manyRows(0, 10), manyRows(10, 10), manyRows(20, 10), manyRows(30, 10)], 2)
  const partition = (await readManifest(store))!.manifest.partitions[0]!
  expect([partition.base, partition.deltas.length, partition.nextOffset]).toEqual([base, 2, 4])
})

/** A worker's whole life: from the manifest's offset to the end of the log, one delta a batch, bases where due. */
async function work(store: ObjectStore, log: readonly ScoreBatch[], maxDeltas: number): Promise<void> {
  const parts = partsOn(store, maxDeltas)
  const held = new HeldScores([0], (await readManifest(store))?.manifest)
  for (let offset = held.starts().get(0)!; offset < log.length; offset++) {
    held.add(0, offset, log[offset]!, lease)
    await writeDeltas(held, held.take(), parts, signal)
    await mergeWhereDue(held, parts, signal)
  }
}

/** @returns the next offset, after the files were found to hold exactly what came before it */
async function expectSnapshot(store: ObjectStore, log: readonly ScoreBatch[]): Promise<number> {
  const partition = (await readManifest(store))?.manifest.partitions[0]
  const table = new SnapshotTable()
  for (const { object, bytes, rows } of partition === undefined ? [] : filesOf(partition)) {
    let found = 0
    for await (const page of (await openSnapshotFile(store, { key: objectKey(object), bytes })).pages) {
      table.apply(page)
      found += page.count
    }
    expect(found).toBe(rows)
  }
  const nextOffset = partition?.nextOffset ?? 0
  const expected = plainMerge(log.slice(0, nextOffset))
  expect(table.size).toBe(expected.size)
  for (const [key, score] of expected) expect(table.get(key)).toEqual(score)
  return nextOffset
}

/** Dies at a write: for good, so that nothing after it happens. */
class Mortal extends MemoryObjectStore {
  readonly #inner: MemoryObjectStore
  readonly #life: { afterWrites: number; heard: boolean }
  #writes = 0

  constructor(inner: MemoryObjectStore, life: { afterWrites: number; heard: boolean }) {
    super()
    this.#inner = inner
    this.#life = life
  }

  override get = (key: string) => this.#alive(() => this.#inner.get(key))
  override getRange = (key: string, range: { from: number; to: number }) =>
    this.#alive(() => this.#inner.getRange(key, range))

  override async put(key: string, body: Uint8Array, condition?: PutCondition): Promise<string> {
    const dies = this.#writes++ >= this.#life.afterWrites
    if (!dies || this.#life.heard) await this.#alive(() => this.#inner.put(key, body, condition), 1)
    if (dies) throw new FreshetError('S3_REFUSED', 'dead')
    return ''
  }

  async #alive<T>(work: () => Promise<T>, own = 0): Promise<T> {
    if (this.#writes - own > this.#life.afterWrites) throw new FreshetError('S3_REFUSED', 'dead')
    return work()
  }
}

/** Away for so many calls, then there. */
class Flaky extends MemoryObjectStore {
  #failures: number

  constructor(failures: number) {
    super()
    this.#failures = failures
  }

  override async put(key: string, body: Uint8Array, condition?: PutCondition): Promise<string> {
    if (this.#failures-- > 0) throw new FreshetError('S3_UNREACHABLE', 'away')
    return super.put(key, body, condition)
  }
}

const lease: Lease = {
  check() {},
  heartbeat: async () => {},
  commit: async () => {},
  signal,
  start: { nextOffset: 0, note: '' },
  rest: () => () => {},
}

function partsOn(store: ObjectStore, maxDeltas: number): FlushParts {
  const clock = { nowMs: Date.now, sleep: () => new Promise<void>((resolve) => setImmediate(resolve)) }
  const telemetry = quietTelemetry()
  const settings = { ...settingsSchema.parse({}).snapshot, maxDeltas, mergeShare: 10 }
  const report = new ServiceState()
  return {
    store,
    pipeline: 'flights',
    instance: 'scorer-1',
    clock,
    log: quietLog,
    telemetry,
    settings,
    report,
  }
}
