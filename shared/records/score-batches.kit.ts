import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { MAX_KEY_BYTES } from './document-key.ts'
import { newer } from './revision.ts'
import { scoreBatchOf, storedScoreAt } from './score-batch.kit.ts'
import { keyAt, ROW_STATES, type RowState, type ScoreBatch } from './score-batch.ts'
import { rowsOfBatch, type StoredRows } from './stored-rows.ts'
import type { StoredScore } from './stored-score.ts'

const OUTPUTS_BY_GENERATION = [['delay'], ['delay', 'Minutes'], ['risk', 'output_x', 'delay'], []]

const LONGEST_KEYS = [
  ...['a', 'b'].map((last) => `${'k'.repeat(MAX_KEY_BYTES - 1)}${last}`),
  ...['ü', '日', '💧'].map((character) => character.repeat(MAX_KEY_BYTES / Buffer.byteLength(character))),
]

const row = fc.record({
  key: fc.oneof(
    fc.constantFrom('a', 'a/b', 'aa', 'Z', 'é', '\uffff', '💧', '💧/1', '', 'a'.repeat(128), 'a'.repeat(129)),
    fc.constantFrom(...LONGEST_KEYS),
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

/** All rows of batches as one page, as a merge of files leaves it: of several models, each with outputs of its own. */
export function pageOf(batches: readonly ScoreBatch[]): StoredRows {
  const parts = batches.map(rowsOfBatch)
  const outputs = [...new Set(parts.flatMap(({ schema }) => schema.outputs))]
  const keys = parts.flatMap((rows) => Array.from({ length: rows.count }, (_, row) => keyAt(rows, row)))
  const doubles = (of: (rows: StoredRows) => Float64Array) =>
    Float64Array.from(parts.flatMap((rows) => [...of(rows)]))
  const words = (of: (rows: StoredRows) => Uint32Array) =>
    Uint32Array.from(parts.flatMap((rows) => [...of(rows)]))
  let end = 0
  return {
    count: keys.length,
    schema: { outputs, models: new Map(parts.flatMap(({ schema }) => [...schema.models])) },
    keys: Buffer.concat(keys),
    keyOffsets: Uint32Array.of(0, ...keys.map(({ length }) => (end += length))),
    documentVersions: doubles((rows) => rows.documentVersions),
    epochs: doubles((rows) => rows.epochs),
    primaryTerms: words((rows) => rows.primaryTerms),
    seqNos: doubles((rows) => rows.seqNos),
    modelGenerations: words((rows) => rows.modelGenerations),
    asOfMs: doubles((rows) => rows.asOfMs),
    scoredAtMs: doubles((rows) => rows.scoredAtMs),
    states: Uint8Array.from(parts.flatMap(({ states }) => [...states])),
    outputs: outputs.map((name) =>
      doubles(
        ({ count, schema, outputs }) =>
          outputs[schema.outputs.indexOf(name)] ?? new Float64Array(count).fill(Number.NaN),
      ),
    ),
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
