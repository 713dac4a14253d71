import { randomUUID } from 'node:crypto'
import { connectKafka, withAdmin } from '@freshet/adapters/kafka/connect.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { createTopics } from '@freshet/adapters/kafka/topics.ts'
import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { consumerGroups, type TopicName, topicName, type Worker } from '@freshet/records/topics.ts'
import { manyRows } from '@freshet/snapshot/rows.kit.ts'
import { retry } from '@freshet/stage/back-off.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, test, vi } from 'vitest'
import { putSnapshot } from './snapshot.kit.ts'
import { Watermark, type WatermarkProgress } from './watermark.ts'

vi.setConfig({ testTimeout: 120_000 }) // to set a group's offsets, it is joined and left again: seconds each time

const soon = () => AbortSignal.timeout(45_000)
/** A broker that has just begun to coordinate a group refuses for a moment. */
const patiently = <T>(work: () => Promise<T>): Promise<T> =>
  retry(work, { backOff: { firstMs: 100, maxMs: 1_000 }, clock: systemClock, signal: soon() })

test('the snapshot holds what was emitted before a moment once that is scored, and the scores are in it', async () => {
  await using pipeline = await openPipeline()
  const { world } = pipeline
  await pipeline.write('changes', 3)
  const moment = await patiently(() => Watermark.now(world, soon()))
  await pipeline.write('changes', 5) // after the moment: not waited for
  expect(await patiently(() => moment.look(soon()))).toEqual({ kind: 'scoring', changesLeft: 3 })
  await pipeline.commit('infer', 2)
  expect(await patiently(() => moment.look(soon()))).toEqual({ kind: 'scoring', changesLeft: 1 })

  await pipeline.write('scores', 2)
  await pipeline.commit('infer', 3)
  expect(await patiently(() => moment.look(soon()))).toEqual({ kind: 'storing', batchesLeft: 2 })
  await pipeline.write('scores', 1) // of a change after the moment
  const manifest = await putSnapshot(world.store, [[manyRows(0, 1), manyRows(1, 1)]], world.pipeline)
  expect(await patiently(() => moment.look(soon()))).toEqual({ kind: 'reached', manifest })
})

test('where nothing was emitted there is nothing to wait for', async () => {
  await using pipeline = await openPipeline()
  const moment = await patiently(() => Watermark.now(pipeline.world, soon()))
  expect(await patiently(() => moment.look(soon()))).toEqual({ kind: 'reached', manifest: null })
})

test('who asks for the cache too waits until its group has committed what the snapshot holds', async () => {
  await using pipeline = await openPipeline()
  const { world } = pipeline
  await pipeline.write('scores', 2)
  const manifest = await putSnapshot(world.store, [[manyRows(0, 1), manyRows(1, 1)]], world.pipeline)
  const moment = await patiently(() => Watermark.now({ ...world, withCache: true }, soon()))
  expect(await patiently(() => moment.look(soon()))).toEqual({ kind: 'caching', batchesLeft: 2 })
  await pipeline.commit('cache', 2)
  expect(await patiently(() => moment.look(soon()))).toEqual({ kind: 'reached', manifest })
})

test('whoever waits hears how far it is, gets the manifest, and at the deadline hears what is left', async () => {
  await using pipeline = await openPipeline()
  await pipeline.write('changes', 1)
  const moment = await patiently(() => Watermark.now(pipeline.world, soon()))
  await patiently(() => moment.look(soon()))
  const heard: WatermarkProgress[] = []
  const wait = { everyMs: 50, clock: systemClock, signal: soon() }
  await expect(moment.wait({ ...wait, deadlineMs: 0 })).rejects.toMatchObject({
    code: 'DEADLINE',
    message: expect.stringContaining('1 changes are not scored'),
  })
  const waiting = moment.wait({
    ...wait,
    deadlineMs: 45_000,
    onProgress: (progress) => void heard.push(progress),
  })
  await pipeline.commit('infer', 1)
  expect(await waiting).toBeNull()
  expect(heard.at(-1)).toEqual({ kind: 'reached', manifest: null })
})

/** Topics of one partition, whose scorer and snapshot worker are played by the test. */
async function openPipeline() {
  const pipeline = `t${randomUUID()}`
  const { kafka } = loadSettings({ env: { ...process.env, FRESHET_KAFKA_PARTITIONS: '1' } })
  const connection = connectKafka(kafka, { clientId: 'test', log: quietLog })
  await createTopics(connection, pipeline, kafka, soon())
  const producer = new Producer(connection, { clock: systemClock, log: quietLog, deadlineMs: 30_000 })
  return {
    world: { connection, pipeline, store: new MemoryObjectStore() },
    async write(topic: TopicName, count: number) {
      const messages = Array.from({ length: count }, () => ({
        partition: 0,
        key: Buffer.from(randomUUID()),
        value: Buffer.from('x'),
      }))
      await producer.send(topicName(pipeline, topic), messages, soon())
    },
    async commit(worker: Worker, offset: number) {
      const { groupId, topic } = consumerGroups(pipeline).find((group) => group.worker === worker)!
      await patiently(() =>
        withAdmin(connection, { doing: 'committing', signal: soon() }, (admin) =>
          admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: `${offset}` }] }),
        ),
      )
    },
    async [Symbol.asyncDispose]() {
      await producer[Symbol.asyncDispose]()
      const names: TopicName[] = ['changes', 'scores', 'cursors', 'heartbeats', 'dead']
      await withAdmin(connection, { doing: 'deleting', signal: soon() }, (admin) =>
        admin.deleteTopics({ topics: names.map((name) => topicName(pipeline, name)) }),
      )
    },
  }
}
