import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import {
  MANIFEST_OBJECT,
  type Manifest,
  manifestRecord,
  type SnapshotFile,
} from '@freshet/records/manifest.ts'
import type { ScoreBatch } from '@freshet/records/score-batch.ts'
import { rowsOfBatch } from '@freshet/records/stored-rows.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, test } from 'vitest'
import { partitionWith } from './bucket.kit.ts'
import { SnapshotFollower } from './follow.ts'
import { objectKey } from './manifest.ts'
import { promptReads } from './prompt-reads.ts'
import { manyRows } from './rows.kit.ts'
import { sortRows } from './sort.ts'
import { SnapshotInMemory } from './table/snapshot-in-memory.ts'
import { wholeFile } from './whole-file.kit.ts'

test('base and deltas of all partitions are loaded, then each new delta', async () => {
  await using world = new World()
  const base = await world.file('0/base', manyRows(0, 100))
  const deltas = [await world.file('0/d1', manyRows(100, 10))]
  const other = partitionWith({ deltas: [await world.file('1/d1', manyRows(500, 10))] })
  await world.publish({ 0: partitionWith({ base, deltas }), 1: other })
  await world.until(({ status }) => status.state === 'following' && status.sequence === 1)
  expect(world.table.size).toBe(120)

  deltas.push(await world.file('0/d2', manyRows(110, 5)))
  await world.publish({ 0: partitionWith({ base, deltas }), 1: other })
  await world.until(({ status }) => status.sequence === 2)
  expect(world.table.get('flights/000112')?.outputs).toEqual({ delay: 112 })
  expect(world.status).toMatchObject({ state: 'following' })
  expect(world.readsOf('0/base')).toBe(1)
})

test('a base that holds only what was loaded before is not read', async () => {
  await using world = new World()
  const first = await world.file('0/d1', manyRows(0, 10))
  await world.publish({ 0: partitionWith({ deltas: [first] }) })
  await world.until(({ status }) => status.sequence === 1)
  const base = await world.file('0/base', manyRows(0, 10))
  const retired = [{ object: first.object, into: base.object, atMs: 1 }]
  await world.publish({ 0: partitionWith({ base, retired }) })
  await world.until(({ status }) => status.sequence === 2)
  expect(world.readsOf('0/base')).toBe(0)
})

test('a base with a delta in it that was never seen is read', async () => {
  await using world = new World()
  const first = await world.file('0/d1', manyRows(0, 10))
  await world.publish({ 0: partitionWith({ deltas: [first] }) })
  await world.until(({ status }) => status.sequence === 1)
  const base = await world.file('0/base', manyRows(0, 20))
  const retired = [first.object, '0/missed'].map((object) => ({ object, into: base.object, atMs: 1 }))
  await world.publish({ 0: partitionWith({ base, retired }) })
  await world.until(({ status }) => status.sequence === 2)
  expect(world.table.size).toBe(20)
})

test('a file that was replaced and collected before it was read leads to a new look at the manifest', async () => {
  await using world = new World()
  const gone = { ...(await world.file('0/d1', manyRows(0, 10))), object: '0/gone' }
  const base = await world.file('0/base', manyRows(0, 20))
  world.onMissing = () => world.publish({ 0: partitionWith({ base }) })
  await world.publish({ 0: partitionWith({ deltas: [gone] }) })
  await world.until(({ status }) => status.state === 'following' && status.sequence === 2)
  expect(world.table.size).toBe(20)
})

test('with the store away the table stays as it was, and is followed again when the store is back', async () => {
  await using world = new World()
  const first = await world.file('0/d1', manyRows(0, 10))
  await world.publish({ 0: partitionWith({ deltas: [first] }) })
  await world.until(({ status }) => status.sequence === 1)
  world.away = true
  await world.until(({ status }) => status.state === 'unavailable')
  expect(world.table.get('flights/000003')?.outputs).toEqual({ delay: 3 })
  world.away = false
  await world.publish({ 0: partitionWith({ deltas: [first, await world.file('0/d2', manyRows(10, 10))] }) })
  await world.until(({ status }) => status.state === 'following' && status.sequence === 2)
  expect(world.table.size).toBe(20)
})

test.each(['the manifest', 'files'] as const)(
  'a read of %s that hangs is given up, and holds up nobody once others are answered',
  async (hangs) => {
    await using world = new World()
    const first = await world.file('0/d1', manyRows(0, 10))
    await world.publish({ 0: partitionWith({ deltas: [first] }) })
    await world.until(({ status }) => status.sequence === 1)
    world.hangs = hangs
    await world.publish({ 0: partitionWith({ deltas: [first, await world.file('0/d2', manyRows(10, 10))] }) })
    await world.until(({ hanging }) => hanging > 0)
    world.hangs = 'nothing'
    await world.until(({ status }) => status.state === 'following' && status.sequence === 2)
    expect(world.table.size).toBe(20)
  },
)

test('a damaged file keeps no other from being loaded, and is told', async () => {
  await using world = new World()
  const damaged = await world.file('0/base', manyRows(0, 10))
  await world.put(objectKey('0/base'), Buffer.alloc(damaged.bytes))
  const whole = await world.file('1/d1', manyRows(500, 10))
  await world.publish({ 0: partitionWith({ base: damaged }), 1: partitionWith({ deltas: [whole] }) })
  await world.until(({ status }) => status.state === 'unavailable')
  expect(world.table.get('flights/000503')?.outputs).toEqual({ delay: 503 })
})

test('a damaged file that is put back is loaded then, and until then it is known what is missing', async () => {
  await using world = new World()
  const first = await world.file('0/d1', manyRows(0, 10))
  await world.publish({ 0: partitionWith({ deltas: [first] }) })
  await world.until(({ status }) => status.sequence === 1)
  const next = await world.file('0/d2', manyRows(10, 10))
  const { body } = await world.get(objectKey('0/d2'))
  await world.put(objectKey('0/d2'), Buffer.alloc(next.bytes))
  await world.publish({ 0: partitionWith({ deltas: [first, next] }) })
  await world.until(({ status }) => status.state === 'unavailable')
  expect(world.status).toMatchObject({ sequence: 1, seenSequence: 2 })
  await world.put(objectKey('0/d2'), body)
  await world.until(({ status }) => status.sequence === 2 && status.state === 'following')
  expect(world.table.size).toBe(20)
})

test('a store that is away at the start is followed once it is there', async () => {
  await using world = new World('flights', { away: true })
  await world.until(({ status }) => status.state === 'unavailable')
  expect(world.status).toMatchObject({ sequence: 0, loadedAtMs: 0 })
  await world.publish({ 0: partitionWith({ base: await world.file('0/base', manyRows(0, 10)) }) })
  world.away = false
  await world.until(({ status }) => status.state === 'following')
  expect(world.table.size).toBe(10)
})

test('a bucket that was put back to an older snapshot takes nothing away, and is followed from there', async () => {
  await using world = new World()
  const old = await world.file('0/d1', manyRows(0, 10))
  await world.publish({ 0: partitionWith({ deltas: [old] }) })
  await world.publish({ 0: partitionWith({ deltas: [old, await world.file('0/d2', manyRows(10, 10))] }) })
  await world.until(({ status }) => status.sequence === 2)
  world.sequence = 0
  await world.publish({ 0: partitionWith({ deltas: [old] }) })
  await world.until(({ status }) => status.sequence === 1)
  expect(world.table.size).toBe(20)
  const again = await world.file('0/d2-again', manyRows(20, 5))
  await world.publish({ 0: partitionWith({ deltas: [old, again] }) })
  await world.until(({ table }) => table.size === 25)
})

test('another manifest of the same sequence is another snapshot', async () => {
  await using world = new World()
  await world.publish({ 0: partitionWith({ deltas: [await world.file('0/d1', manyRows(0, 10))] }) })
  await world.until(({ status }) => status.sequence === 1)
  world.sequence = 0
  await world.publish({ 0: partitionWith({ deltas: [await world.file('0/other', manyRows(50, 10))] }) })
  await world.until(({ table }) => table.size === 20)
})

test('a manifest or a file of a newer format is refused by name, and what is there goes on to answer', async () => {
  await using world = new World()
  const first = await world.file('0/d1', manyRows(0, 10))
  await world.publish({ 0: partitionWith({ deltas: [first] }) })
  await world.until(({ status }) => status.sequence === 1)
  await world.put(MANIFEST_OBJECT, Buffer.from('{"version":2}'))
  await world.until(({ fault }) => fault !== undefined)
  expect(world.fault).toMatchObject({
    code: 'RECORD_VERSION',
    message: 'snapshot manifest version 2, this build reads 1',
  })
  const newer = await world.file('0/newer', manyRows(10, 10))
  const { body } = await world.get(objectKey('0/newer'))
  body.write('"version":2', body.indexOf('"version":1'))
  await world.put(objectKey('0/newer'), body)
  await world.publish({ 0: partitionWith({ deltas: [first, newer] }) })
  await world.until(({ fault }) => String(fault).includes('snapshot file version 2, this build reads 1'))
  expect(world.fault).toMatchObject({ code: 'RECORD_VERSION' })
  expect(world.table.size).toBe(10)
})

test('the snapshot of another pipeline is refused', async () => {
  const world = new World('shop')
  await world.publish({})
  await expect(world.running).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('is of pipeline flights, this one is shop'),
  })
})

test('where there is no snapshot yet, that is known, and is no failure', async () => {
  await using world = new World()
  await world.until(({ status }) => status.state === 'following')
  expect(world.status.sequence).toBe(0)
  expect(world.table.size).toBe(0)
})

/** A store under the hand of the test, a clock whose sleeps take one turn, and a follower that runs. */
class World extends MemoryObjectStore {
  readonly #clock = { nowMs: Date.now, sleep: () => new Promise<void>((resolve) => setImmediate(resolve)) }
  readonly #prompt = promptReads(this, this.#clock)
  readonly #holder = new SnapshotInMemory(this.#prompt, { tombstoneTtlMs: 1_000 })
  away: boolean
  /** Reads whose bytes stop and never come, also when later ones do. */
  hangs: 'nothing' | 'the manifest' | 'files' = 'nothing'
  hanging = 0
  onMissing: () => Promise<void> = async () => {}
  readonly #reads: string[] = []
  readonly #stop = new AbortController()
  readonly #follower: SnapshotFollower
  readonly running: Promise<void>
  sequence = 0
  fault: unknown

  constructor(pipeline = 'flights', { away = false } = {}) {
    super()
    this.away = away
    this.#follower = new SnapshotFollower({
      store: this.#prompt,
      pipeline,
      holder: this.#holder,
      everyMs: 5,
      clock: this.#clock,
      log: quietLog,
      onLook: (fault) => {
        this.fault = fault
      },
    })
    this.running = this.#follower.run(this.#stop.signal)
  }

  get table() {
    return this.#holder.table
  }

  get status() {
    return this.#follower.status
  }

  readsOf(object: string): number {
    return this.#reads.filter((key) => key === objectKey(object)).length
  }

  async file(object: string, batch: ScoreBatch): Promise<SnapshotFile> {
    const { bytes, rows, newestAsOfMs } = await wholeFile([sortRows(rowsOfBatch(batch))])
    await this.put(objectKey(object), bytes)
    return { object, rows, bytes: bytes.length, newestAsOfMs }
  }

  async publish(partitions: Manifest['partitions']): Promise<void> {
    const manifest: Manifest = {
      version: 1,
      pipeline: 'flights',
      sequence: ++this.sequence,
      writtenAtMs: 1,
      writtenBy: { instance: 'scorer-1', attempt: 'a' },
      partitions,
    }
    await this.put(MANIFEST_OBJECT, Buffer.from(manifestRecord.encode(manifest)))
  }

  async until(fact: (world: World) => boolean): Promise<void> {
    const deadline = AbortSignal.timeout(5_000)
    while (!fact(this)) {
      if (deadline.aborted) throw new Error(`still ${JSON.stringify(this.status)}`)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  override async get(key: string, signal?: AbortSignal): ReturnType<MemoryObjectStore['get']> {
    if (this.hangs === 'the manifest') await this.#hang(signal!)
    if (this.away) throw new FreshetError('S3_UNREACHABLE', 'away')
    return super.get(key)
  }

  async #hang(signal: AbortSignal): Promise<void> {
    this.hanging++
    if (!signal.aborted) await once(signal, 'abort')
    throw new FreshetError('DEADLINE', 'given up')
  }

  override async getRange(
    key: string,
    range: { from: number; to: number },
    signal?: AbortSignal,
  ): Promise<Buffer> {
    this.#reads.push(key)
    if (this.hangs === 'files') await this.#hang(signal!)
    return super.getRange(key, range).catch(async (error: unknown) => {
      await this.onMissing()
      throw error
    })
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.running
  }
}
