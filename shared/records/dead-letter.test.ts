import { expect, test } from 'vitest'
import { type DeadLetter, deadLetterRecord } from './dead-letter.ts'
import { golden } from './golden/golden.kit.ts'

const letter: DeadLetter = {
  version: 1,
  code: 'FIELD_MISSING',
  message: 'no distance',
  at: '/distance',
  model: 'delay@2025-11',
  topic: 'air.changes',
  partition: 3,
  offset: 41,
  diedAtMs: 1_764_000_002_000,
}

test('a dead letter of version 1 keeps its text', () => {
  const text = golden('dead-letter.v1.txt')
  expect(deadLetterRecord.encode(letter)).toBe(text.toString())
  expect(deadLetterRecord.decode(text)).toEqual(letter)
})

test('a message that no model has met is a dead letter too', () => {
  const unmet = { ...letter, topic: 'air.scores', at: null, model: null }
  expect(deadLetterRecord.decode(deadLetterRecord.encode(unmet))).toEqual(unmet)
})

test.each([
  [
    'of another version is refused by name',
    { ...letter, version: 9 },
    'dead letter version 9, this build reads 1',
  ],
  ['without its offset names what is wrong', { ...letter, offset: null }, /dead letter: offset: /],
])('a dead letter %s', (_, value, message) => {
  expect(() => deadLetterRecord.decode(JSON.stringify(value))).toThrow(message)
})
