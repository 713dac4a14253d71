import { randomUUID } from 'node:crypto'
import { connectKafka, withAdmin } from '@freshet/adapters/kafka/connect.ts'
import { createLed } from '@freshet/adapters/kafka/kafkajs/create-led.ts'
import { readLag } from '@freshet/adapters/kafka/lag.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { ensureBucket } from '@freshet/adapters/s3/s3-bucket.ts'
import { openS3, type S3ObjectStore } from '@freshet/adapters/s3/s3-object-store.ts'
import { loadSettings } from '@freshet/config/load.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { LATEST_OBJECT, latestRecord } from '@freshet/records/latest-snapshot.ts'
import { MANIFEST_OBJECT, type Manifest } from '@freshet/records/manifest.ts'
import { encodeScoreBatch, type ScoreBatch } from '@freshet/records/score-batch.ts'
import { plainMerge } from '@freshet/records/score-batches.kit.ts'
import { groupName, topicName } from '@freshet/records/topics.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import { ServiceState } from '@freshet/service/service-state.ts'
import { SnapshotFollower } from '@freshet/snapshot/follow.ts'
import { readManifest } from '@freshet/snapshot/manifest.ts'
import { manyRows } from '@freshet/snapshot/rows.kit.ts'
import { SnapshotInMemory } from '@freshet/snapshot/table/snapshot-in-memory.ts'
import type { SnapshotTable } from '@freshet/snapshot/table/snapshot-table.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { quietTelemetry } from '@freshet/telemetry/telemetry.kit.ts'
import { expect, test, vi } from 'vitest'
import { HeldScores } from './held-scores.ts'
import { MeddledStore } from './meddled-store.kit.ts'
import { runSnapshot } from './snapshot-loop.ts'

test('scores become deltas and bases, and a second worker that joins and leaves loses and repeats nothing', async () => {
  await using world = await World.open({ partitions: 2, snapshot: { intervalSeconds: 0.1, maxDeltas: 2 } })
  const written: ScoreBatch[] = []
  const write = async (from: number) => {
    for (const partition of [0, 1]) {
      const batch = manyRows(from + partition * 500, 300) // the next rounds overlap with it
      written.push(batch)
      await world.write(partition, [batch])
    }
  }
  const first = world.start()
  await write(0)
  await world.until((manifest) => nextOffsets(manifest) === '1,1')
  const second = world.start()
  await write(200)
  await world.until((manifest) => nextOffsets(manifest) === '2,2')
  await write(400)
  await world.until((manifest) => nextOffsets(manifest) === '3,3')
  await first.stop()
  await write(600)
  await world.until(
    (found) =>
      nextOffsets(found) === '4,4' &&
      Object.values(found.partitions).every(({ base, deltas }) => base !== null && deltas.length < 2),
  )
  await second.stop()

  const { body } = await world.store.get(LATEST_OBJECT)
  const { rows, files } = latestRecord.decode(body)
  expect(rows).toBeGreaterThan(0)
  for (const file of files) expect(file).toMatch(`s3://freshet-it/${world.settings.pipeline}/snapshots/`)
  const table = await world.load()
  const expected = plainMerge(written)
  expect(table.size).toBe(expected.size)
  for (const [key, score] of expected) expect(table.get(key)).toEqual(score)
  const lag = await readLag(
    world.connection,
    {
      groupId: groupName(world.settings.pipeline, 'snapshot'),
      topic: world.topic,
    },
    AbortSignal.timeout(20_000),
  )
  expect(lag.map(({ committedOffset, lagRecords }) => [committedOffset, lagRecords])).toEqual([
    [4, 0],
    [4, 0],
  ])
})

test('what is held when the service stops is written before it ends', async () => {
  await using world = await World.open({
    partitions: 1,
    snapshot: { intervalSeconds: 3_600, maxBufferedRows: 1_000 },
  })
  await world.write(0, [manyRows(0, 1_000), manyRows(1_000, 5)]) // the first fills the buffer, the second is held
  const add = vi.spyOn(HeldScores.prototype, 'add')
  const worker = world.start()
  await world.until((manifest) => nextOffsets(manifest) === '1')
  await expect.poll(() => add.mock.calls.some(([, offset]) => offset === 1), PATIENCE).toBe(true)
  add.mockRestore()
  await worker.stop()
  expect(nextOffsets((await readManifest(world.store, world.settings.pipeline))!.manifest)).toBe('2')
  expect((await world.load()).size).toBe(1_005)
})

test('after a time without a commit a worker does not wait for the whole interval', async () => {
  await using world = await World.open({ partitions: 1, snapshot: { intervalSeconds: 3_600 } })
  await world.write(0, [manyRows(0, 5)])
  world.start()
  await world.until((manifest) => nextOffsets(manifest) === '1')
})

test('a stop ends the waiting for a store that went away while a merge was committed', async () => {
  await using world = await World.open({ partitions: 1, snapshot: { intervalSeconds: 0.1 } })
  let isBasePut = false
  const leaving = new (class extends MeddledStore {
    override async put(...args: Parameters<MeddledStore['put']>): Promise<string> {
      if (isBasePut && args[0] === MANIFEST_OBJECT) throw new FreshetError('S3_UNREACHABLE', 'away')
      isBasePut ||= args[0].includes('/base-')
      return super.put(...args)
    }
  })(world.store, (work) => work())
  const worker = world.start(leaving)
  await world.write(0, [manyRows(0, 5)])
  await world.until((manifest) => nextOffsets(manifest) === '1')
  await world.write(0, [manyRows(5, 5)])
  await expect.poll(() => isBasePut, PATIENCE).toBe(true)
  await world.write(0, [manyRows(10, 5)])
  // The delta behind it is put, and waits for the commit of the base.
  await expect.poll(() => world.store.list('snapshots/0/delta-2-2'), PATIENCE).toHaveLength(1)
  await expect(worker.stop()).rejects.toMatchObject({ retryable: true })
  expect(nextOffsets((await readManifest(world.store, world.settings.pipeline))!.manifest)).toBe('2')
})

test('a merge that is being committed at the stop is in the manifest, and in what people read', async () => {
  await using world = await World.open({ partitions: 1, snapshot: { intervalSeconds: 0.1 } })
  let isBasePut = false
  const committing = Promise.withResolvers<void>()
  const slow = new (class extends MeddledStore {
    override async put(...args: Parameters<MeddledStore['put']>): Promise<string> {
      if (isBasePut && args[0] === MANIFEST_OBJECT) {
        committing.resolve()
        await systemClock.sleep(1_000, args[3]) // longer than a last flush of nothing takes
      }
      isBasePut ||= args[0].includes('/base-')
      return super.put(...args)
    }
  })(world.store, (work) => work())
  const worker = world.start(slow)
  await world.write(0, [manyRows(0, 5)])
  await world.until((manifest) => nextOffsets(manifest) === '1')
  await world.write(0, [manyRows(5, 5)])
  await committing.promise
  await worker.stop()
  const { manifest } = (await readManifest(world.store, world.settings.pipeline))!
  expect(manifest.partitions[0]!.base).not.toBeNull()
  const { body } = await world.store.get(LATEST_OBJECT)
  expect(latestRecord.decode(body).sequence).toBe(manifest.sequence)
})

const PATIENCE = { timeout: 40_000 }

function nextOffsets({ partitions }: Manifest): string {
  return Object.values(partitions)
    .map(({ nextOffset }) => nextOffset)
    .join(',')
}

/** A pipeline of its own on the real servers: its topic, its prefix, its workers. */
class World {
  readonly #stops: (() => Promise<void>)[] = []
  readonly #producer: Producer
  readonly settings: Settings
  readonly connection: ReturnType<typeof connectKafka>
  readonly store: S3ObjectStore

  private constructor(settings: Settings) {
    this.settings = settings
    this.connection = connectKafka(settings.kafka, { clientId: 'test', log: quietLog })
    this.store = openS3(settings.s3)
    this.#producer = new Producer(this.connection, { clock: systemClock, log: quietLog, deadlineMs: 20_000 })
  }

  static async open(own: { partitions: number; snapshot: Partial<Settings['snapshot']> }): Promise<World> {
    const pipeline = `it-${randomUUID()}`
    const defaults = loadSettings({ env: process.env })
    const s3 = { ...defaults.s3, bucket: 'freshet-it', prefix: pipeline }
    const world = new World({
      ...defaults,
      pipeline,
      s3,
      snapshot: { ...defaults.snapshot, ...own.snapshot },
    })
    await ensureBucket(s3)
    const signal = AbortSignal.timeout(20_000)
    await withAdmin(world.connection, { doing: 'creating', signal }, (admin) =>
      createLed(admin, [{ topic: world.topic, numPartitions: own.partitions }], signal),
    )
    return world
  }

  get topic(): string {
    return topicName(this.settings.pipeline, 'scores')
  }

  async write(partition: number, batches: readonly ScoreBatch[]): Promise<void> {
    const messages = batches.map((batch) => ({ partition, key: null, value: encodeScoreBatch(batch) }))
    await this.#producer.send(this.topic, messages, AbortSignal.timeout(20_000))
  }

  start(store: ObjectStore = this.store): { stop(): Promise<void> } {
    const end = new AbortController()
    const telemetry = quietTelemetry()
    const context: ServiceContext = {
      settings: this.settings,
      instance: `test-${this.#stops.length}`,
      telemetry,
      signal: end.signal,
      report: new ServiceState(),
    }
    const running = runSnapshot(context, { connection: this.connection, store, clock: systemClock })
    running.catch(() => {}) // told by stop
    const stop = async () => {
      end.abort()
      await running
    }
    this.#stops.push(stop)
    return { stop }
  }

  async until(fact: (manifest: Manifest) => boolean): Promise<Manifest> {
    const deadline = AbortSignal.timeout(40_000)
    for (;;) {
      const manifest = (await readManifest(this.store, this.settings.pipeline))?.manifest
      if (manifest !== undefined && fact(manifest)) return manifest
      if (deadline.aborted) throw new Error(`still ${JSON.stringify(manifest)}`)
      await systemClock.sleep(50)
    }
  }

  async load(): Promise<SnapshotTable> {
    const holder = new SnapshotInMemory(this.store, { tombstoneTtlMs: 3_600_000 })
    const end = new AbortController()
    const { store, settings } = this
    const shared = { clock: systemClock, log: quietLog }
    const parts = { store, pipeline: settings.pipeline, holder, everyMs: 20, ...shared }
    const follower = new SnapshotFollower(parts)
    const running = follower.run(end.signal)
    const deadline = AbortSignal.timeout(20_000)
    while (follower.status.state !== 'following' && !deadline.aborted) await systemClock.sleep(10)
    end.abort()
    await running
    return holder.table
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#stops.map((stop) => stop()))
    await this.#producer[Symbol.asyncDispose]()
    await withAdmin(this.connection, { doing: 'deleting', signal: AbortSignal.timeout(20_000) }, (admin) =>
      admin.deleteTopics({ topics: [this.topic] }),
    )
    await this.store[Symbol.asyncDispose]()
  }
}
