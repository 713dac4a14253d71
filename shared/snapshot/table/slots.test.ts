import { expect, test } from 'vitest'
import { Slots } from './slots.ts'

test('what slots grow out of is given back at once, and not left to the garbage collector', () => {
  const { arrayBuffers: before } = process.memoryUsage()
  const slots = new Slots()
  for (let entry = 0; entry < 100_000; entry++) slots.add(Math.imul(entry, 0x9e3779b1) >>> 16, entry)
  const taken = process.memoryUsage().arrayBuffers - before
  expect(taken).toBeGreaterThan(0.9 * slots.bytes)
  expect(taken).toBeLessThan(1.2 * slots.bytes)
})
