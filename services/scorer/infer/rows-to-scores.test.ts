import { Buffer } from 'node:buffer'
import { emptyRows, STATE, stateAt } from '@freshet/records/score-batch.ts'
import { describe, expect, test } from 'vitest'
import type { FeatureBatch } from './feature-batch.ts'
import { rowsToScores } from './rows-to-scores.ts'
import type { RowScores } from './score-rows.ts'

const header = {
  partition: 3,
  model: { name: 'delay', version: '2025-11', generation: 7 },
  outputs: ['late', 'minutes'],
  scoredAtMs: 1_764_000_002_000,
  trace: null,
}

/** Four rows, of which the first and the last two were given to the model. */
function features(): FeatureBatch {
  const rows = emptyRows(4, 0, 0)
  rows.states[1] = STATE.deleted
  const messages = [40, 41, 42, 43].map((offset) => ({
    offset,
    key: Buffer.from(`flights/${offset}`),
    value: null,
    headers: {},
  }))
  return {
    fromOffset: 40,
    toOffset: 43,
    rows,
    messages,
    features: { rows: 0, numbers: new Float32Array(0), texts: [] },
    scorable: Uint32Array.of(0, 2, 3),
    dead: [],
    origins: [],
  }
}

function answers(...columns: number[][]): RowScores {
  return { columns: columns.map((column) => Float64Array.from(column)), failures: new Map() }
}

describe('rows become scores', () => {
  test('each under its own row, with the position that they came with', () => {
    const { batch, dead } = rowsToScores(features(), answers([0.1, 0.2, 0.3], [1, 2, 3]), header)
    expect(batch.header).toEqual({ ...header, fromOffset: 40, toOffset: 43 })
    expect(batch.rows.outputs.map((column) => [...column])).toEqual([
      [0.1, Number.NaN, 0.2, 0.3],
      [1, Number.NaN, 2, 3],
    ])
    expect([0, 1, 2, 3].map((row) => stateAt(batch.rows, row))).toEqual([
      'scored',
      'deleted',
      'scored',
      'scored',
    ])
    expect(dead).toEqual([])
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'but an answer of %d is a dead letter, and its row says so',
    (answer) => {
      const { batch, dead } = rowsToScores(features(), answers([0.1, 0.2, 0.3], [1, answer, 3]), header)
      expect(stateAt(batch.rows, 2)).toBe('unscorable')
      expect(batch.rows.outputs.map((column) => column[2])).toEqual([Number.NaN, Number.NaN])
      expect(dead).toMatchObject([
        {
          code: 'SCORE_NOT_FINITE',
          message: { offset: 42 },
          reason: `the model answered ${answer} for minutes`,
        },
      ])
    },
  )

  test('and a row on which the model fails says why', () => {
    const failures = new Map([[1, 'index out of bounds']])
    const { columns } = answers([0.1, Number.NaN, 0.3], [1, Number.NaN, 3])
    const { batch, dead } = rowsToScores(features(), { columns, failures }, header)
    expect(stateAt(batch.rows, 2)).toBe('unscorable')
    expect(dead).toMatchObject([
      { code: 'MODEL_RUN_FAILED', message: { offset: 42 }, reason: 'index out of bounds' },
    ])
  })

  test('and leave the rows that they were made from as they were', () => {
    const before = features()
    rowsToScores(before, answers([Number.NaN, 0, 0], [0, 0, 0]), header)
    expect(before).toEqual(features())
  })
})
