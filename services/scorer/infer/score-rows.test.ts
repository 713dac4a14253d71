import { FreshetError } from '@freshet/errors/errors.ts'
import { compileColumns } from '@freshet/model/features/columns.ts'
import type { Features } from '@freshet/model/features/features.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { scoreRows } from './score-rows.ts'

const { signal } = new AbortController()
const POISON = -1

/** Doubles the first of two columns; fails on a call with poison in it, and on the calls named. */
function model(failingCalls: readonly number[] = []) {
  let calls = 0
  const run = async ({ numbers, rows }: Features) => {
    const first = Array.from({ length: rows }, (_, row) => numbers[2 * row]!)
    if (failingCalls.includes(++calls) || first.includes(POISON))
      throw new FreshetError('MODEL_RUN_FAILED', 'index out of bounds')
    return [Float64Array.from(first, (value) => 2 * value)]
  }
  return { scoring: { pool: { run }, probe: featuresOf([1]), outputs: ['twice'] }, calls: () => calls }
}

function featuresOf(first: readonly number[]): Features {
  const columns = ['first', 'second'].map((name) => ({
    name,
    path: `/${name}`,
    type: 'number' as const,
    default: 0,
  }))
  const writer = compileColumns(columns)
  const features = writer.allocate(first.length)
  for (const [row, value] of first.entries()) writer.write({ first: value }, features, row)
  return features
}

describe('scoring rows', () => {
  test('takes one call when all is well', async () => {
    const { scoring, calls } = model()
    const { columns, failures } = await scoreRows(scoring, featuresOf([1, 2, 3]), signal)
    expect(columns).toEqual([Float64Array.of(2, 4, 6)])
    expect([failures.size, calls()]).toEqual([0, 1])
  })

  test('sets aside exactly the rows that break the model, and scores all others', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(POISON, 1, 2, 3), { maxLength: 20 }), async (values) => {
        const { columns, failures } = await scoreRows(model().scoring, featuresOf(values), signal)
        expect([...columns[0]!]).toEqual(values.map((value) => (value === POISON ? Number.NaN : 2 * value)))
        expect([...failures.keys()]).toEqual(values.flatMap((value, row) => (value === POISON ? row : [])))
      }),
    )
  })

  test('blames no row for a thread that died under it', async () => {
    const { columns, failures } = await scoreRows(model([1]).scoring, featuresOf([5]), signal)
    expect(columns).toEqual([Float64Array.of(10)])
    expect(failures.size).toBe(0)
  })

  test('blames no row when the model itself is broken', async () => {
    const everyCall = Array.from({ length: 100 }, (_, call) => call + 1)
    await expect(scoreRows(model(everyCall).scoring, featuresOf([1, 2, 3]), signal)).rejects.toMatchObject({
      code: 'MODEL_RUN_FAILED',
    })
  })
})
