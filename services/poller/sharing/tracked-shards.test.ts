import type { Producer } from '@freshet/adapters/kafka/producer.ts'
import { storedCursor } from '@freshet/records/cursor.kit.ts'
import { expect, test } from 'vitest'
import { FIXED_LIMITS, step } from '../capture/capture.ts'
import { cursorPartition } from './cursor-partition.ts'
import { ShardTable } from './shard-table.ts'
import { trackShards } from './tracked-shards.ts'

const KEY = 'u/0'
const PARTITION = cursorPartition(KEY)
const LIMITS = { ...FIXED_LIMITS, pageRows: 10, maxPageBytes: 1_000 }
const identity = { indexUuid: 'u', historyUuid: 'h', node: 'n', allocationId: 'a', primaryTerm: 1 }
const stored = storedCursor()
const nothing = { clusterUuid: 'c', readable: [], unreadable: [], closed: [], indexUuids: new Set<string>() }
const never = new AbortController().signal

/** A shard whose index has gone, whose epoch is dead, and whose removal waits for Kafka until `written` is called. */
function openGone() {
  const table = new ShardTable()
  table.assign(PARTITION)
  table.read(PARTITION, KEY, stored)
  table.know(PARTITION)
  const see = () => table.see(nothing, table.beginLook(), { nowMs: 0, isCapturable: () => true })
  see()
  const shard = table.get(KEY)!
  const newEpoch = table.takeEpoch(PARTITION, 0)
  const [dying] = step(shard.state, { kind: 'gone', newEpoch }, LIMITS)
  shard.dies()
  shard.accept(step(dying, { kind: 'saved' }, LIMITS)[0])
  see()
  const write = Promise.withResolvers<void>()
  const sent: unknown[] = []
  const producer: Pick<Producer, 'send'> = {
    send: (_, messages) => {
      sent.push(...messages.map(({ value }) => value))
      return write.promise
    },
  }
  const tracked = trackShards(table, { producer, pipeline: 'p' })
  return { table, shard, tracked, sent, written: () => write.resolve(), newEpoch }
}

const buried = (...buriedEpochs: number[]) =>
  ({ kind: 'swept', identity, deleteTotal: 0, sweptAtMs: 0, buriedEpochs }) as const

test('the cursor of an index that is gone is not written again while it is taken out: it would be there for ever', async () => {
  const { table, shard, tracked, sent, written } = openGone()
  tracked.swept(KEY, buried(1_000))
  const forgetting = tracked.forget(KEY, never)
  expect(shard.isToBeSaved).toBe(false)
  expect(shard.mayTry(0)).toBe(false)
  table.read(PARTITION, KEY, null)
  expect([...table.shards()]).toEqual([])
  written()
  await forgetting
  expect([...table.shards()]).toEqual([])
  expect(sent).toEqual([null])
})

test('a gone shard is forgotten where its removal is read: a record of it that is read late brings nothing back', async () => {
  const { table, tracked, shard, written } = openGone()
  tracked.swept(KEY, buried(1_000))
  const forgetting = tracked.forget(KEY, never)
  written()
  await forgetting
  table.read(PARTITION, KEY, shard.cursor)
  table.read(PARTITION, KEY, null)
  expect([...table.shards()]).toEqual([])
})

test('a gone shard of which something is still to be deleted stays', async () => {
  const { tracked, shard, sent } = openGone()
  await tracked.forget(KEY, never)
  expect(sent).toEqual([])
  expect(shard.cursor.deadEpochs).toEqual([1_000])
})

test('a gone shard that another poller has outranked dies once more, above that one', () => {
  const { table, shard, newEpoch } = openGone()
  table.read(PARTITION, KEY, { ...stored, epoch: newEpoch + 8 })
  expect(shard.isGone).toBe(false)
  expect(shard.isDying(0, 0)).toBe(true)
  const [{ cursor }] = step(shard.state, { kind: 'gone', newEpoch: newEpoch + 16 }, LIMITS)
  expect(cursor.deadEpochs).toEqual([1_000, newEpoch, newEpoch + 8])
})

test('an index that comes back while its cursor is taken out has it written again', async () => {
  const { table, shard, tracked, written } = openGone()
  tracked.swept(KEY, buried(1_000))
  const forgetting = tracked.forget(KEY, never)
  const view = { index: 'i', shard: 0, identity, globalCheckpoint: 5, maxSeqNo: 5, deleteTotal: 0 }
  const seen = { ...nothing, readable: [view], indexUuids: new Set(['u']) }
  table.see(seen, table.beginLook(), { nowMs: 0, isCapturable: () => true })
  written()
  await forgetting
  table.read(PARTITION, KEY, null)
  expect(shard.isToBeSaved).toBe(true)
})
