import { Buffer } from 'node:buffer'
import { CHANGE_HEADER, encodeChangeHeader } from '@freshet/records/change.ts'
import { DEAD_LETTER_HEADER, deadLetterRecord } from '@freshet/records/dead-letter.ts'
import { expect, test } from 'vitest'
import { DeadReasons } from './dead-reasons.ts'

const at = (seqNo: number) => ({ documentVersion: 0, epoch: 100, primaryTerm: 1, seqNo })

function letter(seqNo: number, message: string, { bytes = true } = {}) {
  const key = Buffer.from('flights/a')
  const source = Buffer.from('{}')
  const change = encodeChangeHeader({ key, revision: at(seqNo), capturedAtMs: 1, source, trace: null })
  const dead = deadLetterRecord.encode({
    version: 2,
    code: 'FIELD_MISSING',
    message,
    at: '/distance',
    model: 'delay@1',
    topic: 'air.changes',
    partition: 0,
    offset: 1,
    document: null,
    diedAtMs: 1,
  })
  return {
    key,
    value: bytes ? source : null,
    headers: { [CHANGE_HEADER]: change, [DEAD_LETTER_HEADER]: Buffer.from(dead) },
  }
}

test('a document is set aside for the reason of its last letter', () => {
  const reasons = new DeadReasons()
  reasons.add(letter(3, 'no distance'))
  reasons.add(letter(5, 'no carrier'))
  expect(reasons.reasonOf('flights/a')).toBe('FIELD_MISSING: no carrier')
  expect(reasons.reasonOf('flights/b')).toBeUndefined()
})

test('a letter of an older revision does not excuse a missing score of a newer one', () => {
  const reasons = new DeadReasons()
  reasons.add(letter(3, 'no distance'))
  expect(reasons.reasonOf('flights/a', at(3))).toBe('FIELD_MISSING: no distance')
  expect(reasons.reasonOf('flights/a', at(4))).toBeUndefined()
})

test('a document too large for Kafka is known although its bytes are not kept', () => {
  const reasons = new DeadReasons()
  reasons.add(letter(3, 'too large', { bytes: false }))
  expect(reasons.reasonOf('flights/a', at(3))).toBe('FIELD_MISSING: too large')
})

test('what is no letter is passed over', () => {
  const reasons = new DeadReasons()
  reasons.add({ ...letter(3, 'x'), headers: {} })
  reasons.add({ ...letter(3, 'x'), key: null })
  reasons.add({ ...letter(3, 'x'), headers: { [DEAD_LETTER_HEADER]: Buffer.from('{') } })
  expect(reasons.reasonOf('flights/a')).toBeUndefined()
})
