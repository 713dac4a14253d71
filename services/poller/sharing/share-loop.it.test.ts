/** The group on `.cursors`, with a real broker: who holds what, and what each is told. */
import { randomBytes } from 'node:crypto'
import { connectKafka, withAdmin } from '@freshet/adapters/kafka/connect.ts'
import { readGroupPositions } from '@freshet/adapters/kafka/group-positions.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { createTopics } from '@freshet/adapters/kafka/topics.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { storedCursor } from '@freshet/records/cursor.kit.ts'
import { type Cursor, cursorKey } from '@freshet/records/cursor.ts'
import { captureGroup, TOPICS, type TopicName, topicName } from '@freshet/records/topics.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Metrics } from '@freshet/telemetry/metrics.ts'
import { quietTelemetry } from '@freshet/telemetry/telemetry.kit.ts'
import { expect, test, vi } from 'vitest'
import { cursorPartition } from './cursor-partition.ts'
import { removeCursor, saveCursors } from './cursor-store.ts'
import { ShardTable } from './shard-table.ts'
import { shareShards } from './share-loop.ts'

vi.setConfig({ testTimeout: 120_000 })
const WAIT = { timeout: 60_000, interval: 50 }
const soon = () => AbortSignal.timeout(45_000)

const cursorOf = (shard: number, changes: Partial<Cursor> = {}) => storedCursor({ shard, ...changes })
const keyOf = (shard: number) => cursorKey('u', shard)
const keysOf = (table: ShardTable) => [...table.shards()].map(({ key }) => key)

/** A pipeline of its own, with pollers that share and do not capture. */
async function open() {
  const pipeline = `t${randomBytes(6).toString('hex')}`
  const { kafka } = loadSettings({ env: process.env })
  const connection = connectKafka(kafka, { clientId: 'test', log: quietLog })
  const producer = new Producer(connection, { clock: systemClock, log: quietLog, deadlineMs: 45_000 })
  await createTopics(connection, pipeline, kafka, soon())
  const warnings: string[] = []
  const metrics = new Metrics()
  const log = { ...quietLog, warn: (line: string) => void warnings.push(line) }
  const telemetry = quietTelemetry({ log, metrics })
  const members: { stop: () => Promise<void> }[] = []
  return {
    join() {
      const table = new ShardTable()
      const leaving = new AbortController()
      const running = shareShards({
        ...{ connection, pipeline, table, producer, telemetry },
        clock: systemClock,
        signal: leaving.signal,
      })
      const stop = async () => {
        leaving.abort()
        await running
      }
      members.push({ stop })
      return { table, running, stop }
    },
    save: (cursor: Cursor) => saveCursors(producer, pipeline, [cursor], soon()),
    /** What somebody else writes there. */
    write: (key: string, value: string, partition = cursorPartition(key)) =>
      producer.send(
        topicName(pipeline, 'cursors'),
        [{ partition, key: Buffer.from(key), value: Buffer.from(value) }],
        soon(),
      ),
    warnings,
    unusable: () => metrics.values()['freshet.poller.cursors_unusable'],
    remove: (key: string) => removeCursor(producer, pipeline, key, soon()),
    committed: () =>
      withAdmin(connection, { doing: 'reading', signal: soon() }, async (admin) => {
        const group = { groupId: captureGroup(pipeline), topic: topicName(pipeline, 'cursors') }
        return (await readGroupPositions(admin, group)).filter((position) => position.committed !== undefined)
      }),
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(members.map(({ stop }) => stop()))
      await producer[Symbol.asyncDispose]()
      const topics = (Object.keys(TOPICS) as TopicName[]).map((name) => topicName(pipeline, name))
      await withAdmin(connection, { doing: 'deleting', signal: soon() }, (admin) =>
        admin.deleteTopics({ topics }),
      )
    },
  }
}

test('every partition is held once, with all its cursors, whoever comes and goes; nothing is committed', async () => {
  await using world = await open()
  const shards = Array.from({ length: 24 }, (_, shard) => shard)
  for (const shard of shards) await world.save(cursorOf(shard))
  await world.save(cursorOf(0, { seqNo: 9 }))
  await world.remove(keyOf(1))
  const all = shards
    .filter((shard) => shard !== 1)
    .map(keyOf)
    .sort()

  const first = world.join()
  await vi.waitFor(() => expect(keysOf(first.table).sort()).toEqual(all), WAIT)
  expect(first.table.get(keyOf(0))?.cursor.seqNo).toBe(9)

  const second = world.join()
  await vi.waitFor(() => {
    expect(first.table.partitions().size).toBe(TOPICS.cursors.partitions / 2)
    expect([...keysOf(first.table), ...keysOf(second.table)].sort()).toEqual(all)
  }, WAIT)

  await first.stop()
  await vi.waitFor(() => expect(keysOf(second.table).sort()).toEqual(all), WAIT)
  expect(first.table.partitions().size).toBe(0)
  expect(await world.committed()).toEqual([])
})

test('an empty partition is known too: a first poller need not wait for a cursor', async () => {
  await using world = await open()
  const { table } = world.join()
  await vi.waitFor(() => expect(table.partitions().size).toBe(TOPICS.cursors.partitions), WAIT)
  expect(keysOf(table)).toEqual([])
})

test('what another poller writes of a held shard is heard: above us we are outranked, below it is written over', async () => {
  await using world = await open()
  await world.save(cursorOf(0))
  await world.save(cursorOf(1, { epoch: 5_000 }))
  const { table } = world.join()
  await vi.waitFor(() => expect(keysOf(table)).toHaveLength(2), WAIT)
  await world.save(cursorOf(0, { epoch: 9_000 }))
  await world.save(cursorOf(1, { epoch: 1_000 }))
  await vi.waitFor(() => {
    expect(table.get(keyOf(0))?.state.outrankedBy).toEqual([9_000])
    expect(table.get(keyOf(1))?.isToBeSaved).toBe(true)
  }, WAIT)
  expect(table.get(keyOf(1))?.cursor.epoch).toBe(5_000)
})

test('garbage in `.cursors` ends no poller: it is passed over, counted, and told once with its place', async () => {
  await using world = await open()
  await world.save(cursorOf(0))
  await world.write('hello', 'garbage', 3)
  const first = world.join()
  await vi.waitFor(() => expect(first.table.partitions().size).toBe(TOPICS.cursors.partitions), WAIT)
  await world.write('hello', 'more of it', 3) // while it runs
  await vi.waitFor(() => expect(world.unusable()).toBe(2), WAIT)
  const second = world.join() // all is read once more
  await vi.waitFor(() => expect(second.table.partitions().size).toBeGreaterThan(0), WAIT)
  await second.stop()
  await vi.waitFor(() => expect(first.table.partitions().size).toBe(TOPICS.cursors.partitions), WAIT)
  expect(keysOf(first.table)).toEqual([keyOf(0)])
  expect(new Set(world.warnings.filter((line) => line.includes('hello'))).size).toBe(2)
  expect(world.warnings[0]).toMatch(/^\.cursors\[3\]@\d+ hello: not the key of a shard/)
})

test('a cursor that cannot be read makes its shard begin anew; while the poller runs, it is written over', async () => {
  await using world = await open()
  await world.save(cursorOf(0))
  await world.write(keyOf(0), 'garbage')
  await world.save(cursorOf(1))
  const { table } = world.join()
  await vi.waitFor(() => expect(keysOf(table)).toHaveLength(2), WAIT)
  expect(table.get(keyOf(0))?.cursor.scope).toBe('')
  await world.write(keyOf(1), 'garbage')
  await vi.waitFor(() => expect(table.get(keyOf(1))?.isToBeSaved).toBe(true), WAIT)
  expect(table.get(keyOf(1))?.cursor).toEqual(cursorOf(1))
  expect(world.warnings).toContainEqual(
    expect.stringMatching(/\.cursors\[\d+\]@\d+ u\/0: cursor is not JSON/),
  )
})

test('a cursor of a newer release ends the poller while it is the last, and says where it stands', async () => {
  await using world = await open()
  await world.write(keyOf(1), JSON.stringify({ ...cursorOf(1), version: 3 }))
  await world.save(cursorOf(1))
  await world.write(keyOf(0), JSON.stringify({ ...cursorOf(0), version: 3 }))
  await expect(world.join().running).rejects.toMatchObject({
    code: 'RECORD_VERSION',
    message: expect.stringMatching(/^\.cursors\[\d+\]@\d+ u\/0: cursor version 3/),
  })
  await world.remove(keyOf(0))
  const { table } = world.join()
  await vi.waitFor(() => expect(table.partitions().size).toBe(TOPICS.cursors.partitions), WAIT)
  expect(keysOf(table)).toEqual([keyOf(1)])
})
