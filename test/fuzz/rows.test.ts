/** What carries a document or its score: the header of a change, a batch of scores, the value in Redis. */
import { Buffer } from 'node:buffer'
import { decodeChange, encodeChangeHeader } from '@freshet/records/change.ts'
import { golden } from '@freshet/records/golden/golden.kit.ts'
import { MOMENTS_END_MS } from '@freshet/records/moment.ts'
import { scoreBatchOf, storedScoreAt } from '@freshet/records/score-batch.kit.ts'
import {
  decodeScoreBatch,
  encodeScoreBatch,
  keyAt,
  ROW_STATES,
  rankAt,
} from '@freshet/records/score-batch.ts'
import { decodeStoredScore, encodeStoredScore, type StoredScore } from '@freshet/records/stored-score.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fuzz } from './fuzz.kit.ts'
import { expectRank } from './rank.kit.ts'

fuzz({
  name: 'change-header',
  format: 'bytes',
  codes: ['RECORD_MALFORMED', 'RECORD_VERSION'],
  valid: [golden('change.v1.hex')],
  read(header) {
    for (const source of [Buffer.from('{}'), null]) {
      const isDelete = header[1] === 1
      if (isDelete !== (source === null)) continue
      const change = decodeChange(Buffer.from('key'), header, source)
      expectRank({ revision: change.revision, modelGeneration: 1 })
      new Date(change.capturedAtMs).toISOString() // throws for what is no moment, here and below
      const again = encodeChangeHeader(change)
      expect(decodeChange(Buffer.from('key'), again, source)).toEqual(change)
    }
  },
})

/** Redis gives back what was written. What throws here is not what the parser throws. */
function expectStorable(score: StoredScore): void {
  const read = () => {
    const { model, state, asOfMs, scoredAtMs } = decodeStoredScore(score.key, encodeStoredScore(score))
    return [model, state, new Date(asOfMs).toISOString(), new Date(scoredAtMs).toISOString()]
  }
  expect(read).not.toThrow()
  expect(read().slice(0, 2)).toEqual([score.model, score.state])
}

const batch = scoreBatchOf(
  [
    { key: 'flights/1', outputs: [0.5, 2] },
    { key: 'é', state: 'deleted', seqNo: 2 ** 53 - 1 },
    { key: '', state: 'unscorable', primaryTerm: 2 ** 32 - 1 },
  ],
  { outputs: ['delay', '__proto__'] },
)

fuzz({
  name: 'score-batch',
  format: 'bytes',
  codes: ['RECORD_MALFORMED', 'RECORD_VERSION'],
  valid: [golden('score-batch.v1.hex'), encodeScoreBatch(batch), encodeScoreBatch(scoreBatchOf([]))],
  read(bytes) {
    const { header, rows } = decodeScoreBatch(bytes)
    const { name, version, generation } = header.model
    for (const text of [name, version, ...header.outputs]) expect(text).toBeTypeOf('string')
    for (const whole of [header.partition, header.fromOffset, header.toOffset, generation])
      expect(whole).toSatisfy(Number.isSafeInteger)
    new Date(header.scoredAtMs).toISOString()
    for (let row = 0; row < rows.count; row++) {
      expectRank(rankAt({ header, rows }, row))
      expectStorable(storedScoreAt({ header, rows }, row))
      expect(keyAt(rows, row).length).toBeLessThanOrEqual(bytes.length)
    }
  },
})

const stored: StoredScore = {
  key: 'k',
  rank: {
    revision: { documentVersion: 0, epoch: 1_700_000_000_000, primaryTerm: 1, seqNo: 7 },
    modelGeneration: 3,
  },
  state: 'scored',
  outputs: { delay: 12.5, constructor: 1 },
  asOfMs: 1_700_000_000_000,
  scoredAtMs: 1_700_000_000_100,
  model: 'delay@1',
}

fuzz({
  name: 'stored-score',
  format: 'json',
  codes: ['RECORD_MALFORMED', 'RECORD_VERSION'],
  valid: [
    golden('stored-score.v1.txt'),
    golden('stored-score.v2.txt'),
    Buffer.from(encodeStoredScore(stored)),
    Buffer.from(encodeStoredScore({ ...stored, state: 'deleted', outputs: {} })),
  ].flatMap((bytes) =>
    bytes
      .toString()
      .split('\n')
      .map((line) => Buffer.from(line)),
  ),
  read(bytes) {
    const score = decodeStoredScore('k', bytes.toString())
    expectRank(score.rank)
    expect(ROW_STATES).toContain(score.state)
    expect(score.model).toBeTypeOf('string')
    for (const ms of [score.asOfMs, score.scoredAtMs]) new Date(ms).toISOString()
    for (const value of Object.values(score.outputs)) if (value !== null) expect(value).toBeTypeOf('number')
    expectStorable(score)
    const outputs = withoutNegativeZeros(score.outputs)
    const again = decodeStoredScore('k', encodeStoredScore(score))
    expect(again).toEqual(withoutNegativeZeros({ ...score, outputs }))
  },
})

/** JSON can say -0, and JavaScript writes it as 0. */
function withoutNegativeZeros<T extends object>(record: T): T {
  const entries = Object.entries(record).map(([name, value]) => [name, value === 0 ? 0 : value])
  return Object.fromEntries(entries) as T
}

const MALFORMED = expect.objectContaining({ code: 'RECORD_MALFORMED' })

test.each([8.64e15 + 1, 2 ** 53 - 1])(
  'a score that speaks for the moment %d, which no date can show, is refused',
  (ms) => {
    const line = encodeStoredScore({ ...stored, asOfMs: ms, scoredAtMs: ms - 1 })
    expect(() => decodeStoredScore('k', line)).toThrow(MALFORMED)
    const later = encodeStoredScore({ ...stored, scoredAtMs: ms })
    expect(() => decodeStoredScore('k', later)).toThrow(MALFORMED)
    const [version1] = golden('stored-score.v1.txt').toString().split('\n')
    const old = version1!.replace(/"as_of":\d+/, `"as_of":${ms}`)
    expect(() => decodeStoredScore('k', old)).toThrow(MALFORMED)
    const scored = encodeScoreBatch(scoreBatchOf([{ key: 'k', asOfMs: ms }]))
    expect(() => decodeScoreBatch(scored)).toThrow(MALFORMED)
    const scoredThen = encodeScoreBatch(scoreBatchOf([{ key: 'k' }], { scoredAtMs: ms }))
    expect(() => decodeScoreBatch(scoredThen)).toThrow(MALFORMED)
    const { rank } = stored
    const seen = { key: Buffer.from('k'), ...rank, capturedAtMs: ms, source: null, trace: null }
    expect(() => decodeChange(seen.key, encodeChangeHeader(seen), null)).toThrow(MALFORMED)
  },
)

test('a rank of version 1 with a number beyond 2^53 is refused', () => {
  const [version1] = golden('stored-score.v1.txt').toString().split('\n')
  const [before, behind] = [version1!.slice(0, 34), version1!.slice(48)] // the seqNo has 14 digits
  expect(decodeStoredScore('k', `${before}1fffffffffffff${behind}`).rank.revision.seqNo).toBe(2 ** 53 - 1)
  expect(() => decodeStoredScore('k', `${before}20000000000000${behind}`)).toThrow(MALFORMED)
})

test('a score that was made before 1970 is refused: a file of the snapshot has no number for it', () => {
  const made = encodeScoreBatch(scoreBatchOf([{ key: 'k' }], { scoredAtMs: -1 }))
  expect(() => decodeScoreBatch(made)).toThrow(MALFORMED)
})

test.each(['a b', '\n'])(
  'a model of the name %j is refused: the line of a score has no place for it',
  (name) => {
    const made = encodeScoreBatch(
      scoreBatchOf([{ key: 'k' }], { model: { name, version: '1', generation: 1 } }),
    )
    expect(() => decodeScoreBatch(made)).toThrow(MALFORMED)
  },
)

test('the header of a change that is valid says what was written', () => {
  const whole = fc.maxSafeNat()
  const moment = fc.maxSafeNat().map((ms) => ms % MOMENTS_END_MS)
  fc.assert(
    fc.property(
      whole,
      fc.nat(2 ** 31 - 1),
      whole,
      moment,
      fc.boolean(),
      (version, term, seqNo, ms, isDelete) => {
        const change = {
          key: Buffer.from('k'),
          revision: { documentVersion: version, epoch: 2 ** 48 - 1, primaryTerm: term, seqNo },
          capturedAtMs: ms,
          source: isDelete ? null : Buffer.from('{}'),
          trace: null,
        }
        expect(decodeChange(change.key, encodeChangeHeader(change), change.source)).toEqual(change)
      },
    ),
  )
})
