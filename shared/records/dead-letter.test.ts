import { expect, test } from 'vitest'
import { type DeadLetter, deadLetterRecord } from './dead-letter.ts'

const letter: DeadLetter = {
  version: 1,
  code: 'FIELD_MISSING',
  message: 'no distance',
  at: '/distance',
  model: 'delay@2025-11',
  partition: 3,
  offset: 41,
  diedAtMs: 1_764_000_002_000,
}

test('a dead letter is read back as it was', () => {
  expect(deadLetterRecord.decode(deadLetterRecord.encode(letter))).toEqual(letter)
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
