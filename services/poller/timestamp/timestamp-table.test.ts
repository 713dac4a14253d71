import { TOPICS } from '@freshet/records/topics.ts'
import { expect, test } from 'vitest'
import { cursorPartition } from '../sharing/cursor-partition.ts'
import { beginCursor } from './stored-progress.ts'
import { TimestampTable } from './timestamp-table.ts'

const KEY = 'uuid/0'
const PARTITION = cursorPartition(KEY)
const cursor = (epoch: number) =>
  beginCursor({ clusterUuid: '', index: 'i', indexUuid: 'uuid', scope: 's', epoch, before: undefined })

function heldTable(...epochs: readonly number[]): TimestampTable {
  const table = new TimestampTable()
  table.assign(PARTITION)
  for (const epoch of epochs) table.read(PARTITION, KEY, cursor(epoch))
  table.know(PARTITION)
  return table
}

test('an index is ours from when all of its partition is read until the partition is another’s', () => {
  const table = new TimestampTable()
  table.assign(PARTITION)
  expect(table.holds(KEY)).toBe(false)
  table.know(PARTITION)
  expect(table.holds(KEY)).toBe(true)
  expect([...table.partitions()]).toEqual([PARTITION])
  table.revoke(PARTITION)
  expect(table.holds(KEY)).toBe(false)
  expect(table.cursor(KEY)).toBeUndefined()
})

test('a poller that wakes up late does not set an index back: the highest epoch counts, and is written again', () => {
  const table = heldTable(200, 100)
  expect(table.cursor(KEY)?.epoch).toBe(200)
  expect(table.mustSave(KEY)).toBe(true)
  table.read(PARTITION, KEY, cursor(200))
  expect(table.mustSave(KEY)).toBe(false)
})

test('an epoch is above all that its partition has shown, given once, and told apart from those of other partitions', () => {
  const table = heldTable(5_000)
  const epochs = [table.takeEpoch(KEY, 1_000), table.takeEpoch(KEY, 1_000)]
  expect(epochs[0]).toBeGreaterThan(5_000)
  expect(epochs[1]).toBeGreaterThan(epochs[0]!)
  for (const epoch of epochs) expect(epoch % TOPICS.cursors.partitions).toBe(PARTITION)
})

test('a cursor that cannot be read is written over, or makes its index begin anew', () => {
  const table = heldTable(200)
  table.readBroken(PARTITION, KEY)
  expect(table.mustSave(KEY)).toBe(true)
  const before = new TimestampTable()
  before.assign(PARTITION)
  before.read(PARTITION, KEY, cursor(200))
  before.readBroken(PARTITION, KEY)
  before.know(PARTITION)
  expect(before.cursor(KEY)).toMatchObject({ epoch: 200, scope: '' })
})
