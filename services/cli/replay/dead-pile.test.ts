import { Buffer } from 'node:buffer'
import { CHANGE_HEADER, encodeChangeHeader } from '@freshet/records/change.ts'
import { DEAD_LETTER_HEADER, type DeadLetter, deadLetterRecord } from '@freshet/records/dead-letter.ts'
import { scoreBatchOf } from '@freshet/records/score-batch.kit.ts'
import { encodeScoreBatch } from '@freshet/records/score-batch.ts'
import { expect, test } from 'vitest'
import { DeadPile } from './dead-pile.ts'

const ALL = { code: undefined, sinceMs: 0 }

function letterOf(letter: Partial<DeadLetter>): Buffer {
  const whole: DeadLetter = {
    version: 2,
    ...{ code: 'FIELD_MISSING', message: 'no distance', at: null, model: 'delay@1', document: null },
    ...{ topic: 'air.changes', partition: 3, offset: 41, diedAtMs: 1_000 },
    ...letter,
  }
  return Buffer.from(deadLetterRecord.encode(whole))
}

/** As it stands in `.dead`. */
function ofDocument(
  key: string,
  seqNo: number,
  letter: Partial<DeadLetter> = {},
  source: string | null = '{}',
) {
  const revision = { documentVersion: 0, epoch: 5, primaryTerm: 1, seqNo }
  const bytes = source === null ? null : Buffer.from(source)
  const change = { key: Buffer.from(key), revision, capturedAtMs: 1, source: Buffer.from('{}'), trace: null }
  return {
    key: change.key,
    value: bytes,
    headers: { [CHANGE_HEADER]: encodeChangeHeader(change), [DEAD_LETTER_HEADER]: letterOf(letter) },
  }
}

const oneScore = () => encodeScoreBatch(scoreBatchOf([{ key: 'a', outputs: [1] }]))

test('of each document the letter of its newest revision counts, in whatever order they died', () => {
  const pile = new DeadPile('air', ALL)
  pile.add(ofDocument('a', 7, { message: 'newer' }))
  pile.add(ofDocument('a', 3))
  pile.add(ofDocument('a', 7, { message: 'again' }))
  pile.add(ofDocument('b', 1))
  expect(pile.documents.map(({ key, revision, letter }) => [key, revision.seqNo, letter.message])).toEqual([
    ['a', 7, 'again'],
    ['b', 1, 'no distance'],
  ])
})

test('one that was too large for Kafka is known by its header alone', () => {
  const pile = new DeadPile('air', ALL)
  pile.add(ofDocument('big', 2, { code: 'DOCUMENT_TOO_LARGE' }, null))
  expect(pile.documents).toMatchObject([{ key: 'big', revision: { seqNo: 2 } }])
})

test('only letters of the code, and from the time on, are chosen', () => {
  const pile = new DeadPile('air', { code: 'FIELD_TYPE', sinceMs: 500 })
  pile.add(ofDocument('another', 1))
  pile.add(ofDocument('old', 1, { code: 'FIELD_TYPE', diedAtMs: 499 }))
  pile.add(ofDocument('right', 1, { code: 'FIELD_TYPE', diedAtMs: 500 }))
  expect(pile.documents.map(({ key }) => key)).toEqual(['right'])
})

test('a message of scores is kept with its bytes when this build reads it; a change without revision is kept apart', () => {
  const pile = new DeadPile('air', ALL)
  const ofScores = { [DEAD_LETTER_HEADER]: letterOf({ topic: 'air.scores', code: 'RECORD_MALFORMED' }) }
  const batch = oneScore()
  pile.add({ key: null, value: batch, headers: ofScores })
  pile.add({ key: null, value: Buffer.from([1, 2, 3]), headers: ofScores })
  pile.add({ key: Buffer.from('stray'), value: batch, headers: { [DEAD_LETTER_HEADER]: letterOf({}) } })
  pile.add({ key: null, value: batch, headers: {} })
  expect(pile.batches.map(({ value }) => value?.equals(batch) ?? null)).toEqual([true, null])
  expect(pile.broken).toHaveLength(1)
  expect(pile.documents).toEqual([])
  expect(pile.unreadable).toBe(1)
})

test('of each kind there is room for so many, and what has none is counted', () => {
  const pile = new DeadPile('air', ALL, 2)
  const ofScores = { [DEAD_LETTER_HEADER]: letterOf({ topic: 'air.scores', code: 'RECORD_MALFORMED' }) }
  for (const at of [1, 2, 3]) {
    pile.add(ofDocument(`document ${at}`, at))
    pile.add({ key: null, value: at === 1 ? oneScore() : null, headers: ofScores })
    pile.add({ key: null, value: null, headers: { [DEAD_LETTER_HEADER]: letterOf({ offset: at }) } })
  }
  expect(pile.documents.map(({ key }) => key)).toEqual(['document 2', 'document 3'])
  expect(pile.batches).toHaveLength(2)
  expect(pile.broken.map(({ offset }) => offset)).toEqual([1, 2])
  expect(pile.leftOut).toBe(3)
})
