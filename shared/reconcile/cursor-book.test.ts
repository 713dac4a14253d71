import { Buffer } from 'node:buffer'
import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import { storedCursor } from '@freshet/records/cursor.kit.ts'
import { type Cursor, cursorRecord } from '@freshet/records/cursor.ts'
import { TOPICS } from '@freshet/records/topics.ts'
import { expect, test } from 'vitest'
import { CursorBook } from './cursor-book.ts'

const KEY = Buffer.from('u/0')
const PARTITION = partitionOf(KEY, TOPICS.cursors.partitions)

function saying(offset: number, cursor: Cursor | null) {
  return { offset, key: KEY, value: cursor && Buffer.from(cursorRecord.encode(cursor)) }
}

test('of a shard the last cursor of its highest epoch counts, and none when it was taken out', () => {
  const book = new CursorBook()
  book.hear(PARTITION, saying(0, storedCursor({ epoch: 2_000, seqNo: 7 })))
  book.hear(PARTITION, saying(1, storedCursor({ epoch: 1_000, seqNo: 99 }))) // of a poller that woke up late
  expect(book.cursors().get('u/0')).toMatchObject({ epoch: 2_000, seqNo: 7 })
  book.hear(PARTITION, saying(2, null))
  expect(book.cursors().size).toBe(0)
})

test('who reads the topic again from its beginning learns nothing wrong', () => {
  const messages = [saying(0, storedCursor()), saying(1, null), saying(2, storedCursor({ seqNo: 9 }))]
  const book = new CursorBook()
  for (const message of messages) book.hear(PARTITION, message)
  const seen = messages.map((message) => {
    book.hear(PARTITION, message)
    return book.cursors().get('u/0')?.seqNo
  })
  expect(seen).toEqual([9, 9, 9])
})

test('of a topic that was made anew only what it says counts, and what is heard of one that is the same stays', () => {
  const book = new CursorBook()
  book.hear(PARTITION, saying(5, storedCursor({ epoch: 2_000, seqNo: 7 })))
  book.logEndsAt(PARTITION, 6)
  book.logEndsAt(PARTITION + 1, 0)
  expect(book.cursors().get('u/0')).toMatchObject({ seqNo: 7 })
  book.logEndsAt(PARTITION, 0)
  expect(book.cursors().size).toBe(0)
  book.hear(PARTITION, saying(0, storedCursor({ epoch: 1_000, seqNo: 3 })))
  expect(book.cursors().get('u/0')).toMatchObject({ epoch: 1_000, seqNo: 3 })
})
