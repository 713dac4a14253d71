import fc from 'fast-check'
import { expect, test } from 'vitest'
import { clusterId } from './kafka.ts'

test('an id of a cluster is 22 letters that no tool takes for an option, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      expect(clusterId(Buffer.from(bytes))).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/)
    }),
    { examples: [[new Uint8Array(16).fill(0xfb)]] },
  )
})
