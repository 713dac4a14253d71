import type { OutgoingMessage } from '@freshet/adapters/kafka/outgoing-message.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { storedCursor } from '@freshet/records/cursor.kit.ts'
import { cursorKey, cursorRecord } from '@freshet/records/cursor.ts'
import { TOPICS } from '@freshet/records/topics.ts'
import { quietTelemetry } from '@freshet/telemetry/telemetry.kit.ts'
import { expect, test, vi } from 'vitest'
import { cursorPartition } from '../sharing/cursor-partition.ts'
import { ShardTable } from '../sharing/shard-table.ts'
import { CaptureNews } from './capture-news.ts'
import { ShardChores } from './shard-chores.ts'

const NOBODY = { clusterUuid: 'c', readable: [], unreadable: [], closed: [], indexUuids: new Set<string>() }
const settings = loadSettings({ env: { FRESHET_ELASTICSEARCH_GONE_GRACE_SECONDS: '1' } })

/** So many shards; each write waits until the test answers it. */
function open({ shards }: { shards: number }) {
  const table = new ShardTable()
  for (let partition = 0; partition < TOPICS.cursors.partitions; partition++) table.assign(partition)
  for (let shard = 0; shard < shards; shard++) {
    const key = cursorKey('u', shard)
    table.read(cursorPartition(key), key, storedCursor({ shard }))
  }
  for (let partition = 0; partition < TOPICS.cursors.partitions; partition++) table.know(partition)
  const writes: { messages: readonly OutgoingMessage[]; answer: PromiseWithResolvers<void> }[] = []
  const send = (_: string, messages: readonly OutgoingMessage[]) => {
    const answer = Promise.withResolvers<void>()
    writes.push({ messages, answer })
    return answer.promise
  }
  const clock = { nowMs: () => 0, sleep: async () => {} }
  const world = { settings, producer: { send }, clock, grace: new AbortController().signal }
  const warn = vi.fn()
  const telemetry = quietTelemetry()
  const news = new CaptureNews({ ...telemetry, log: { ...telemetry.log, warn } })
  return { table, writes, warn, chores: new ShardChores(world, table, news) }
}

test('after a sweep all cursors are written at once, by one write, however many they are', async () => {
  const { table, writes, chores } = open({ shards: 1_500 })
  for (const shard of table.shards()) shard.mustSave = true
  void chores.begin(0)
  void chores.begin(0)
  expect(writes.map(({ messages }) => messages.length)).toEqual([1_500])
  expect([...table.shards()].some((shard) => shard.mayTry(0))).toBe(false)
  writes[0]!.answer.resolve()
  await chores.done()
  void chores.begin(0)
  expect(writes).toHaveLength(1)
  expect([...table.shards()].every((shard) => shard.mayTry(0))).toBe(true)
})

test('a write that failed is told of once and made again', async () => {
  const { table, writes, warn, chores } = open({ shards: 20 })
  for (const shard of table.shards()) shard.mustSave = true
  void chores.begin(0)
  writes[0]!.answer.reject(new FreshetError('KAFKA_UNREACHABLE', 'no broker in this test'))
  await chores.done()
  expect(warn).toHaveBeenCalledOnce()
  void chores.begin(0)
  expect(writes).toHaveLength(1)
  void chores.begin(60_000)
  expect(writes[1]!.messages).toHaveLength(20)
})

test('the epoch of an index that is gone is dead on disk before anything may be deleted in its name', async () => {
  const { table, writes, chores } = open({ shards: 1 })
  const [shard] = table.shards()
  const see = () => table.see(NOBODY, table.beginLook(), { nowMs: 0, isCapturable: () => true })
  see()
  void chores.begin(1_000)
  expect(shard).toMatchObject({ isGone: false, cursor: { epoch: 1_000, deadEpochs: [] } })
  const written = cursorRecord.decode(writes[0]!.messages[0]!.value!)
  expect(written.deadEpochs).toEqual([1_000])
  writes[0]!.answer.resolve()
  await chores.done()
  expect(shard).toMatchObject({ isGone: true, cursor: written })
})
