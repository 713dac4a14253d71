import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CallMemory } from './call-memory.ts'

test('whoever takes memory has enough of it, and nobody else has the same until it is given back', () => {
  const step = fc.record({ bytes: fc.oneof(fc.nat(300_000), fc.nat(5_000)), givesBack: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const memory = new CallMemory()
      const taken = new Set<ArrayBufferLike>()
      for (const { bytes, givesBack } of steps) {
        const piece = memory.take(bytes)
        expect(piece.length).toBeGreaterThanOrEqual(bytes)
        expect(taken.has(piece.buffer)).toBe(false)
        if (givesBack) memory.giveBack(piece)
        else taken.add(piece.buffer)
      }
    }),
  )
})

test('what is given back serves the next call of its size, and no call that needs more', () => {
  const memory = new CallMemory()
  const piece = memory.take(20_000)
  memory.giveBack(piece)
  expect(memory.take(piece.length + 1)).not.toBe(piece)
  expect(memory.take(30_000)).toBe(piece)
})

test('a megabyte of each size is kept, and nothing of a call that is larger than all of them', () => {
  for (const bytes of [4 * 1_024, 32 * 1_024, 128 * 1_024]) {
    const memory = new CallMemory()
    const kept = 2 ** 20 / bytes
    const take = () => Array.from({ length: kept + 1 }, () => memory.take(bytes))
    const pieces = take()
    for (const piece of pieces) memory.giveBack(piece)
    expect(take().filter((piece) => pieces.includes(piece))).toHaveLength(kept)
  }
  const memory = new CallMemory()
  const large = memory.take(128 * 1_024 + 1)
  memory.giveBack(large)
  expect(memory.take(128 * 1_024 + 1)).not.toBe(large)
})
