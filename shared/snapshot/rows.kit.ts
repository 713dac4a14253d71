import { Buffer } from 'node:buffer'
import { newer } from '@freshet/records/revision.ts'
import { scoreBatchOf, storedScoreAt } from '@freshet/records/score-batch.kit.ts'
import { ROW_STATES, type RowState, type ScoreBatch } from '@freshet/records/score-batch.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'
import fc from 'fast-check'

const OUTPUTS_BY_GENERATION = [['delay'], ['delay', 'Minutes'], ['risk', 'output_x', 'delay'], []]

const row = fc.record({
  key: fc.oneof(
    fc.constantFrom('a', 'a/b', 'aa', 'Z', 'é', '\uffff', '💧', '💧/1', '', 'a'.repeat(128), 'a'.repeat(129)),
    fc.string({ unit: 'grapheme', maxLength: 40 }),
  ),
  documentVersion: fc.constantFrom(0, 0, 0, 1, 2 ** 53 - 1),
  epoch: fc.constantFrom(1, 2, 1_700_000_000_000, 2 ** 47),
  primaryTerm: fc.constantFrom(1, 2, 2 ** 32 - 1),
  seqNo: fc.oneof(fc.nat(4), fc.constant(2 ** 53 - 1)),
  asOfMs: fc.constantFrom(0, 1_700_000_000_123, 8.64e15),
  state: fc.constantFrom<RowState>(...ROW_STATES),
  scores: fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 3, maxLength: 3 }),
})

type Row = typeof row extends fc.Arbitrary<infer T> ? T : never

/**
 * Batches for property tests: few keys and few ranks, so that they meet; keys of all planes and lengths; a model with
 * other outputs in each generation; numbers up to their limits.
 */
export const scoreBatches: fc.Arbitrary<ScoreBatch[]> = fc.array(
  fc
    .record({
      generation: fc.nat(OUTPUTS_BY_GENERATION.length - 1),
      rows: fc.array(row, { maxLength: 12 }),
      scoredAtMs: fc.constantFrom(0, 1_700_000_100_000, 1_800_000_000_000),
    })
    .map(({ generation, rows, scoredAtMs }) => batchOf(generation, rows, scoredAtMs)),
  { maxLength: 6 },
)

/** What every store must hold of these batches, after what was there, by the plainest means. On a tie the first stays. */
export function plainMerge(
  batches: readonly ScoreBatch[],
  there: ReadonlyMap<string, StoredScore> = new Map(),
): Map<string, StoredScore> {
  const merged = new Map(there)
  for (const batch of batches)
    for (let i = 0; i < batch.rows.count; i++) {
      const score = storedScoreAt(batch, i)
      const older = merged.get(score.key)
      merged.set(score.key, older === undefined ? score : newer(older, score))
    }
  return merged
}

/** Keys `flights/000000` and on, in order, each with its number as its score. */
export function manyRows(from: number, count: number): ScoreBatch {
  const keys = Array.from({ length: count }, (_, i) =>
    Buffer.from(`flights/${`${from + i}`.padStart(6, '0')}`),
  )
  const keyOffsets = new Uint32Array(count + 1)
  for (const [i, key] of keys.entries()) keyOffsets[i + 1] = keyOffsets[i]! + key.length
  return {
    header: {
      partition: 0,
      fromOffset: 0,
      toOffset: 0,
      model: { name: 'delay', version: '1', generation: 1 },
      outputs: ['delay'],
      scoredAtMs: 1,
      trace: null,
    },
    rows: {
      count,
      keys: Buffer.concat(keys),
      keyOffsets,
      documentVersions: new Float64Array(count),
      epochs: new Float64Array(count).fill(1),
      primaryTerms: new Uint32Array(count).fill(1),
      seqNos: Float64Array.from(keys, (_, i) => from + i),
      asOfMs: new Float64Array(count).fill(1_700_000_000_000),
      states: new Uint8Array(count),
      outputs: [Float64Array.from(keys, (_, i) => from + i)],
    },
  }
}

function batchOf(generation: number, rows: readonly Row[], scoredAtMs: number): ScoreBatch {
  const outputs = OUTPUTS_BY_GENERATION[generation]!
  return scoreBatchOf(
    rows.map(({ scores, ...row }) => ({
      ...row,
      outputs: row.state === 'scored' ? scores.slice(0, outputs.length) : [],
    })),
    { model: { name: `m${generation}`, version: '1', generation }, outputs, scoredAtMs },
  )
}
