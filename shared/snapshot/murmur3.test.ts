import { Buffer } from 'node:buffer'
import { expect, test } from 'vitest'
import { murmur3 } from './murmur3.ts'

test.each([
  ['', 0, '00000000000000000000000000000000'],
  ['hello', 0, '2b2444a0db91def79adb31b69adb31b6'],
  ['The quick brown fox jumps over the lazy dog', 0, '2f1583c3ecee2c675d7bf66ce5e91d2c'],
  ['flights/2026-11-24/AA-12', 0x9747b28c, '3434d10339b2997a014478253328e116'],
  ['ü 💧', 0xffffffff, 'f1e8b62a08e226151eac9c851eac9c85'],
])('the hash of %j under seed %i is what other implementations say', (text, seed, expected) => {
  const into = new Uint32Array(4)
  const bytes = Buffer.from(`##${text}`)
  murmur3(bytes, 2, bytes.length, { seed, into })
  expect(Array.from(into, (word) => word.toString(16).padStart(8, '0')).join('')).toBe(expected)
})
