import { Buffer } from 'node:buffer'
import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import { storedCursor } from '@freshet/records/cursor.kit.ts'
import { cursorRecord } from '@freshet/records/cursor.ts'
import { TOPICS } from '@freshet/records/topics.ts'
import { expect, test } from 'vitest'
import { readCursorMessage } from './cursor-message.ts'

const KEY = 'u/0'
const PARTITION = partitionOf(Buffer.from(KEY), TOPICS.cursors.partitions)
const cursor = storedCursor()

const read = (key: string | null, value: string | null, partition = PARTITION) =>
  readCursorMessage(partition, {
    offset: 41,
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
  })

test('a cursor is read, and so is where it was taken out', () => {
  expect(read(KEY, cursorRecord.encode(cursor))).toEqual({ kind: 'cursor', key: KEY, cursor })
  expect(read(KEY, null)).toEqual({ kind: 'cursor', key: KEY, cursor: null })
})

test.each([
  ['no key', null, PARTITION],
  ['a key that is no shard', 'hello', PARTITION],
  ['the partition of other keys', KEY, PARTITION + 1],
])('what has %s is nobody’s, whatever it holds, and is told with its place', (_, key, partition) => {
  for (const value of ['garbage', '{"version":9}', cursorRecord.encode(cursor)])
    expect(read(key, value, partition)).toEqual({
      kind: 'stranger',
      why: expect.stringContaining(`.cursors[${partition}]@41 ${key ?? ''}`),
    })
})

test('a mark of a poller says nothing', () => {
  expect(read('mark/5e2c', null)).toEqual({ kind: 'mark' })
})

test.each([
  ['no JSON', 'garbage'],
  ['no cursor', '{"version":2}'],
  ['of no version', '{}'],
  ['of another shard', cursorRecord.encode({ ...cursor, shard: 1 })],
])('what is %s under the key of a shard is broken, and told with its place', (_, value) => {
  expect(read(KEY, value)).toEqual({
    kind: 'broken',
    key: KEY,
    why: expect.stringContaining(`.cursors[${PARTITION}]@41 u/0: `),
  })
})

test('a cursor of a newer release is told apart, with an error that says where it stands', () => {
  expect(read(KEY, JSON.stringify({ ...cursor, version: 3 }))).toEqual({
    kind: 'newer',
    key: KEY,
    error: expect.objectContaining({
      code: 'RECORD_VERSION',
      message: `.cursors[${PARTITION}]@41 u/0: cursor version 3, this build reads 2`,
    }),
  })
})
