import { Buffer } from 'node:buffer'
import { expect, test } from 'vitest'
import { ResponseBuffers } from './response-buffers.ts'

test('a buffer that came back is taken again by whoever it is large enough for', () => {
  const buffers = new ResponseBuffers()
  const first = buffers.take(100_000)
  buffers.give(first.subarray(10, 20))
  expect(buffers.take(200_000).buffer).not.toBe(first.buffer)
  expect(buffers.take(100).buffer).toBe(first.buffer)
  expect(buffers.take(100).buffer).not.toBe(first.buffer)
})

test('what is given twice, or was never taken, is in nobody else’s hands', () => {
  const buffers = new ResponseBuffers()
  const mine = buffers.take(1)
  buffers.give(mine)
  buffers.give(mine)
  buffers.give(Buffer.from('theirs'))
  expect(buffers.take(1).buffer).toBe(mine.buffer)
  expect(buffers.take(1).length).toBe(mine.length)
  expect(buffers.take(1).buffer).not.toBe(mine.buffer)
})

test('no more is kept than a page of the largest kind needs', () => {
  const buffers = new ResponseBuffers()
  const all = Array.from({ length: 4 }, () => buffers.take(16 * 1024 * 1024))
  for (const one of all) buffers.give(one)
  const again = Array.from({ length: 4 }, () => buffers.take(16 * 1024 * 1024).buffer)
  expect(again.filter((buffer) => all.some((one) => one.buffer === buffer))).toHaveLength(2)
})
