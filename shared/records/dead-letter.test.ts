import { expect, test } from 'vitest'
import { type DeadLetter, deadLetterRecord } from './dead-letter.ts'
import { golden } from './golden/golden.kit.ts'

const letter: DeadLetter = {
  version: 2,
  code: 'FIELD_MISSING',
  message: 'no distance',
  at: '/distance',
  model: 'delay@2025-11',
  topic: 'air.changes',
  partition: 3,
  offset: 41,
  document: null,
  diedAtMs: 1_764_000_002_000,
}

const document: DeadLetter = {
  ...letter,
  code: 'KEY_MISSING',
  message: 'no usable key in tail.number',
  at: null,
  model: null,
  topic: null,
  partition: null,
  offset: null,
  document: { index: 'flights', id: 'UA/15 é' },
}

test.each([
  ['a message', 'dead-letter.v2.txt', letter],
  ['a document that never became a message', 'dead-letter-document.v2.txt', document],
])('a dead letter of version 2 keeps its text: %s', (_, file, value) => {
  const text = golden(file)
  expect(deadLetterRecord.encode(value)).toBe(text.toString())
  expect(deadLetterRecord.decode(text)).toEqual(value)
})

test('a dead letter of version 1 is still read', () => {
  expect(deadLetterRecord.decode(golden('dead-letter.v1.txt'))).toEqual(letter)
})

test('a message that no model has met is a dead letter too', () => {
  const unmet = { ...letter, topic: 'air.scores', at: null, model: null }
  expect(deadLetterRecord.decode(deadLetterRecord.encode(unmet))).toEqual(unmet)
})

test.each([
  [
    'of another version is refused by name',
    { ...letter, version: 9 },
    'dead letter version 9, this build reads 2',
  ],
  ['without its offset names what is wrong', { ...letter, offset: 'last' }, /dead letter: offset: /],
])('a dead letter %s', (_, value, message) => {
  expect(() => deadLetterRecord.decode(JSON.stringify(value))).toThrow(message)
})
