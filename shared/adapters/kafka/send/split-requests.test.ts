import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { OutgoingMessage } from '../outgoing-message.ts'
import { bytesOf, REQUEST_LIMITS, splitRequests } from './split-requests.ts'

const message: fc.Arbitrary<OutgoingMessage> = fc.record({
  partition: fc.integer({ min: 0, max: 5 }),
  key: fc.constant(Buffer.from('k')),
  value: fc.integer({ min: 0, max: 60 }).map((bytes) => Buffer.alloc(bytes)),
})
const limits = { maxPartitionMessages: 3, maxPartitionBytes: 150, maxBytes: 300 }

test('every message is in exactly one request, and a partition keeps its order', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 60 }), (messages) => {
      const sent = splitRequests(messages, limits).flat()
      for (let partition = 0; partition < 6; partition++)
        expect(sent.filter((m) => m.partition === partition)).toEqual(
          messages.filter((m) => m.partition === partition),
        )
      expect(sent.length).toBe(messages.length)
    }),
  )
})

test('no request is empty or breaks a limit, unless one message alone does', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 60 }), (messages) => {
      for (const request of splitRequests(messages, limits)) {
        expect(request.length).toBeGreaterThan(0)
        if (request.length === 1) continue
        const bytes = (some: OutgoingMessage[]) => some.reduce((sum, m) => sum + bytesOf(m), 0)
        expect(bytes(request)).toBeLessThanOrEqual(limits.maxBytes)
        for (const { partition } of request) {
          const there = request.filter((m) => m.partition === partition)
          expect(there.length).toBeLessThanOrEqual(limits.maxPartitionMessages)
          if (there.length > 1) expect(bytes(there)).toBeLessThanOrEqual(limits.maxPartitionBytes)
        }
      }
    }),
  )
})

test('a message larger than a whole request is sent by itself, for the broker to judge', () => {
  const large = { partition: 0, key: null, value: Buffer.alloc(REQUEST_LIMITS.maxBytes + 1) }
  const small = { partition: 1, key: null, value: null }
  expect(splitRequests([large, small])).toEqual([[large], [small]])
})
