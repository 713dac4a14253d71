import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { readShards } from '@freshet/adapters/elasticsearch/shards.ts'
import { connectKafka, withAdmin } from '@freshet/adapters/kafka/connect.ts'
import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { createTopics } from '@freshet/adapters/kafka/topics.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { loadSettings } from '@freshet/config/load.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { modelPointerRecord, POINTER_OBJECT, promoted } from '@freshet/model/bundle/model-pointer.ts'
import { type Cursor, cursorKey, cursorRecord } from '@freshet/records/cursor.ts'
import { type Facts, factsRecord } from '@freshet/records/facts.ts'
import { heartbeatKey, heartbeatRecord } from '@freshet/records/heartbeat.ts'
import { MANIFEST_OBJECT, manifestRecord } from '@freshet/records/manifest.ts'
import { groupName, TOPICS, type TopicName, topicName } from '@freshet/records/topics.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { openTelemetry } from '@freshet/telemetry/open.ts'
import { expect, onTestFinished, test, vi } from 'vitest'
import { instance } from '../rules/facts.kit.ts'
import { type Look, openLook } from './open-look.ts'

const TEST = { timeout: 120_000 }
const DEADLINE = { timeout: 60_000, interval: 200 }
const soon = () => AbortSignal.timeout(20_000)

test(
  'one look sees all of a real pipeline, and stays the same when it is recorded and read',
  TEST,
  async () => {
    const { settings, write } = await openPipeline()
    const { pipeline } = settings
    const nowMs = systemClock.nowMs()
    const client = connectElasticsearch(settings.elasticsearch)
    onTestFinished(() => client.close())
    await client.indices.create({ index: pipeline, settings: { number_of_shards: 1, number_of_replicas: 0 } })
    onTestFinished(async () => void (await client.indices.delete({ index: pipeline })))
    for (const id of ['a', 'b', 'c']) await client.index({ index: pipeline, id, document: { id } })
    const [view] = (await readShards(client, pipeline, soon())).readable
    const cursor: Cursor = {
      ...{
        version: 2,
        clusterUuid: 'c',
        index: pipeline,
        shard: 0,
        identity: view!.identity,
        epoch: 5,
        seqNo: 0,
      },
      ...{ windows: [], scope: '', deadEpochs: [], sweep: null },
    }
    const key = Buffer.from(cursorKey(view!.identity.indexUuid, 0))
    const partition = partitionOf(key, TOPICS.cursors.partitions)
    await write('cursors', [{ partition, key, value: Buffer.from(cursorRecord.encode(cursor)) }])
    const { heartbeat } = instance('scorer-1', { atMs: nowMs, startedAtMs: nowMs - 1_000 })
    const heartbeatValue = Buffer.from(heartbeatRecord.encode(heartbeat))
    await write('heartbeats', [
      { partition: 0, key: Buffer.from(heartbeatKey('scorer', 'scorer-1')), value: heartbeatValue },
    ])
    const late = {
      partition: 0,
      key: Buffer.from('a'),
      value: Buffer.from('{}'),
      timestampMs: nowMs - 90_000,
    }
    await write('changes', [late])
    await putSnapshotAndModel(settings, nowMs)

    const look = watch(settings)
    const facts = await eventually(look, ({ capture, instances, redis, snapshot, model }) => {
      expect(capture.value?.shards).toMatchObject([
        { index: pipeline, shard: 0, checkpoint: 2, cursorSeqNo: 0, behind: 2, epoch: 5 },
      ])
      expect(capture.value?.unreadCursors).toBe(0)
      expect(instances).toMatchObject([{ heartbeat: { instance: 'scorer-1' } }])
      for (const { seenAtMs } of [redis, snapshot, model]) expect(seenAtMs).not.toBeNull()
    })
    expect(facts.groups).toMatchObject([
      {
        worker: 'infer',
        groupId: groupName(pipeline, 'infer'),
        members: 0,
        partitions: [{ committedOffset: null, endOffset: 1, lagRecords: 1 }],
      },
      { worker: 'cache', partitions: [{ lagRecords: 0, lagSeconds: 0, standsSeconds: 0 }] },
      { worker: 'snapshot' },
    ])
    expect(facts.groups[0]!.partitions[0]!.lagSeconds).toBeGreaterThanOrEqual(90)
    expect(facts.snapshot.value).toMatchObject({ sequence: 4, writtenBy: 'scorer-9', rows: 7, files: 1 })
    expect(facts.model.value).toEqual({ promoted: 'delay@3', generation: 12, promotedAtMs: 99 })
    expect(factsRecord.decode(factsRecord.encode(facts))).toEqual(facts)

    await write('cursors', [
      { partition, key, value: Buffer.from(cursorRecord.encode({ ...cursor, seqNo: 2 })) },
    ])
    await eventually(look, ({ capture }) => {
      expect(capture.value?.shards).toMatchObject([
        { cursorSeqNo: 2, behind: 0, behindSeconds: 0, standsSeconds: 0 },
      ])
    })

    const newer = Buffer.from(JSON.stringify({ ...cursor, version: 999 }))
    await write('cursors', [{ partition, key, value: newer }])
    await eventually(look, ({ capture }) => {
      expect(capture).toMatchObject({
        fault: null,
        value: {
          shards: [],
          newer: { shards: 1, error: expect.stringMatching(/^RECORD_VERSION: .*version 999/) },
        },
      })
    })
  },
)

test('servers that are frozen or gone are told by their errors, and hold up no other', TEST, async () => {
  const { settings } = await openPipeline()
  const frozen = await frozenServer()
  const look = watch({
    ...settings,
    elasticsearch: { ...settings.elasticsearch, url: `http://127.0.0.1:${frozen}` },
    redis: { ...settings.redis, url: `redis://127.0.0.1:${frozen}` },
    s3: { ...settings.s3, bucket: `no-${randomUUID()}` },
  })
  const facts = await eventually(look, ({ capture, redis, snapshot }) => {
    expect(capture).toMatchObject({
      value: null,
      fault: { error: expect.stringMatching(/^ELASTICSEARCH_UNREACHABLE: /) },
    })
    expect(redis).toMatchObject({
      value: null,
      fault: { error: expect.stringMatching(/^REDIS_UNREACHABLE: /) },
    })
    expect(snapshot).toMatchObject({
      value: null,
      fault: { error: expect.stringMatching(/^BUCKET_MISSING: /) },
    })
  })
  expect(facts.kafka).toMatchObject({ fault: null })
  expect(facts.groups).toHaveLength(3)
})

test('by timestamps there are no shards to see, only whether Elasticsearch answers', TEST, async () => {
  const { settings } = await openPipeline()
  const { index } = settings.elasticsearch
  const client = connectElasticsearch(settings.elasticsearch)
  onTestFinished(() => client.close())
  const look = watch({ ...settings, elasticsearch: { ...settings.elasticsearch, mode: 'timestamp' } })
  await eventually(look, ({ capture }) => {
    expect(capture).toMatchObject({
      value: null,
      fault: { error: expect.stringMatching(/^INDEX_MISSING: /) },
    })
  })
  await client.indices.create({ index, settings: { number_of_shards: 1, number_of_replicas: 0 } })
  onTestFinished(async () => void (await client.indices.delete({ index })))
  await eventually(look, ({ capture }) => {
    expect(capture).toMatchObject({ fault: null, value: { shards: [], unreadCursors: 0, unreadSeconds: 0 } })
  })
})

/** The first look that sees it. */
async function eventually(look: Look, isSeen: (facts: Facts) => void): Promise<Facts> {
  return await vi.waitFor(async () => {
    const facts = await look.look(soon())
    isSeen(facts)
    return facts
  }, DEADLINE)
}

/** Looks four times a second. */
function watch(settings: Settings): Look {
  const telemetry = openTelemetry({ settings, service: 'watchdog', instance: 'watchdog-1', format: 'json' })
  const eyes = { ...settings.watchdog, serverIntervalSeconds: 0.25, intervalSeconds: 0.25 }
  const look = openLook(
    { settings: { ...settings, watchdog: eyes }, instance: 'watchdog-1', telemetry },
    systemClock,
  )
  const stop = new AbortController()
  const running = look.run(stop.signal)
  onTestFinished(async () => {
    stop.abort()
    await running
    await look[Symbol.asyncDispose]()
  })
  return look
}

/** Topics of its own in the real Kafka. */
async function openPipeline() {
  const loaded = loadSettings({ env: process.env })
  const pipeline = `test-${randomUUID()}`
  const settings: Settings = {
    ...loaded,
    pipeline,
    elasticsearch: { ...loaded.elasticsearch, index: pipeline },
    kafka: { ...loaded.kafka, partitions: 1 },
    s3: { ...loaded.s3, prefix: pipeline },
    telemetry: { ...loaded.telemetry, enabled: false, logLevel: 'error' },
  }
  const connection = connectKafka(settings.kafka, { clientId: 'test', log: quietLog })
  await createTopics(connection, pipeline, settings.kafka, soon())
  const topics = (Object.keys(TOPICS) as TopicName[]).map((name) => topicName(pipeline, name))
  onTestFinished(() =>
    withAdmin(connection, { doing: 'deleting', signal: soon() }, (admin) => admin.deleteTopics({ topics })),
  )
  const producer = new Producer(connection, { clock: systemClock, log: quietLog, deadlineMs: 20_000 })
  onTestFinished(() => producer[Symbol.asyncDispose]())
  return {
    settings,
    write: (name: TopicName, messages: Parameters<Producer['send']>[1]) =>
      producer.send(topicName(pipeline, name), messages, soon()),
  }
}

async function putSnapshotAndModel(settings: Settings, nowMs: number): Promise<void> {
  await using store = openS3(settings.s3)
  const base = { object: 'base-0.parquet', rows: 7, bytes: 700, newestAsOfMs: nowMs }
  const manifest = manifestRecord.encode({
    version: 1,
    pipeline: settings.pipeline,
    sequence: 4,
    writtenAtMs: nowMs,
    writtenBy: { instance: 'scorer-9', attempt: 'a' },
    partitions: { 0: { nextOffset: 0, writtenAtMs: nowMs, base, deltas: [], retired: [] } },
  })
  await store.put(MANIFEST_OBJECT, Buffer.from(manifest))
  const model = { name: 'delay', modelVersion: '3', sha256: 'f'.repeat(64) }
  const pointer = promoted(model, null, { generation: 12, promotedAtMs: 99 })
  await store.put(POINTER_OBJECT, Buffer.from(modelPointerRecord.encode(pointer)))
}

/** Takes connections and never answers. @returns its port */
async function frozenServer(): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => void sockets.add(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
