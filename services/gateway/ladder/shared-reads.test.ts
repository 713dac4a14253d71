import type { StoredScore } from '@freshet/records/stored-score.ts'
import { expect, test } from 'vitest'
import { SharedReads } from './shared-reads.ts'

function handReads() {
  const asked: PromiseWithResolvers<StoredScore | undefined>[] = []
  const reads = new SharedReads(() => {
    const read = Promise.withResolvers<StoredScore | undefined>()
    asked.push(read)
    return read.promise
  })
  return { reads, asked }
}

test('who asks for a key that is being read gets the same reply; another key is read by itself', async () => {
  const { reads, asked } = handReads()
  const first = reads.get('a', 0)
  const second = reads.get('a', 10)
  expect([first.joined, second.joined, reads.get('b', 10).joined]).toEqual([false, true, false])
  expect(asked).toHaveLength(2)
  asked[0]!.resolve(undefined)
  expect(await Promise.all([first.reply, second.reply])).toEqual([undefined, undefined])
})

test('a read that is over, failed or too old is not joined', async () => {
  const { reads, asked } = handReads()
  const first = reads.get('a', 0)
  expect(reads.get('a', 10.1).joined).toBe(false)
  expect(reads.get('a', 20).joined).toBe(true)
  asked[0]!.resolve(undefined)
  await first.reply
  expect(reads.get('a', 20).joined).toBe(true) // of the second read
  asked[1]!.reject(new Error('away'))
  await reads.get('a', 20).reply.catch(() => {})
  expect(reads.get('a', 20).joined).toBe(false)
})
