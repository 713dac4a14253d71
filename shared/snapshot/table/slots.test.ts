import { expect, test } from 'vitest'
import { Slots } from './slots.ts'

test('what slots grow out of is given back at once, and not left to the garbage collector', () => {
  filled('dropped') // the room for what is on its way is there now
  const { arrayBuffers: before } = process.memoryUsage()
  const slots = filled('dropped')
  const taken = process.memoryUsage().arrayBuffers - before
  expect(taken).toBeGreaterThan(0.9 * slots.bytes)
  expect(taken).toBeLessThan(1.2 * slots.bytes)
})

test('slots that are kept grow in place, in memory that the garbage collector does not count', () => {
  filled('kept')
  const { arrayBuffers: before } = process.memoryUsage()
  const slots = filled('kept')
  expect(slots.bytes).toBeGreaterThan(6 * ENTRIES)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(0.1 * slots.bytes)
})

test.each(['dropped', 'kept'] as const)('slots that are %s are found after they grew', (memory) => {
  const slots = filled(memory)
  const found = { isOf: (entry: number, [wanted]: Uint32Array) => entry === wanted }
  for (let entry = 0; entry < ENTRIES; entry += 97)
    expect(slots.find(tagOf(entry), Uint32Array.of(entry), found)).toBe(entry)
})

const ENTRIES = 100_000

function filled(memory: 'dropped' | 'kept'): Slots {
  const slots = new Slots(memory)
  for (let entry = 0; entry < ENTRIES; entry++) slots.add(tagOf(entry), entry)
  return slots
}

function tagOf(entry: number): number {
  return Math.imul(entry, 0x9e3779b1) >>> 16
}
