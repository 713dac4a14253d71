import { expect, test } from 'vitest'
import { keySlot, tagsOverSlots } from './key-slot.ts'

test('a key has the slot that CLUSTER KEYSLOT tells', () => {
  const told = { foo: 12_182, '123456789': 12_739, 'demo:score:flights/1': 10_426, 'ü 💧': 9_901, '': 0 }
  for (const [key, slot] of Object.entries(told)) expect(keySlot(key), key).toBe(slot)
})

test('what stands in the first braces decides, unless it is nothing', () => {
  expect(keySlot('a{foo}b{bar}')).toBe(keySlot('foo'))
  expect(keySlot('a{}{foo}')).not.toBe(keySlot('foo'))
  expect(keySlot('a{foo')).not.toBe(keySlot('foo'))
})

test('tags lie in every stretch of the slots', () => {
  const stretches = tagsOverSlots(64).map((tag) => Math.floor(keySlot(`p:filled:{${tag}}`) / 256))
  expect(stretches.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, i) => i))
})
