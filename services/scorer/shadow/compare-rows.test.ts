import { FreshetError } from '@freshet/errors/errors.ts'
import { compileColumns } from '@freshet/model/features/columns.ts'
import type { Features } from '@freshet/model/features/features.ts'
import { expect, test } from 'vitest'
import { type ComparedModel, commonOutputs, compareRows } from './compare-rows.ts'

const never = new AbortController().signal

/** Doubles /a, fails on 13, and answers infinity for 99. */
function doubling(): ComparedModel {
  const writer = compileColumns([{ name: 'a', path: '/a', type: 'number', required: true }])
  const probe = writer.allocate(1)
  const run = async ({ numbers, rows }: Features) => {
    if (numbers.includes(13)) throw new FreshetError('MODEL_RUN_FAILED', 'no 13')
    return [
      Float64Array.from(numbers.subarray(0, rows), (a) => (a === 99 ? Number.POSITIVE_INFINITY : 2 * a)),
    ]
  }
  return { writer, probe, outputs: ['twice'], pool: { run } as unknown as ComparedModel['pool'] }
}

test('each document gets the score of the shadow, or a reason why there is none', async () => {
  const documents = [1, 'x', 13, 4, undefined, 99].map((a) => Buffer.from(JSON.stringify({ a })))
  const { columns, failedRows } = await compareRows(doubling(), documents, never)
  expect([...columns[0]!]).toEqual([2, Number.NaN, Number.NaN, 8, Number.NaN, Number.NaN])
  expect(failedRows).toEqual({ FIELD_TYPE: 1, FIELD_MISSING: 1, MODEL_RUN_FAILED: 1, SCORE_NOT_FINITE: 1 })
})

test('outputs are compared by name, or the first ones where no name is the same', () => {
  expect(commonOutputs(['risk', 'delay'], ['delay', 'risk', 'new'])).toEqual([
    { name: 'risk', current: 0, shadow: 1 },
    { name: 'delay', current: 1, shadow: 0 },
  ])
  expect(commonOutputs(['delay'], ['minutes'])).toEqual([{ name: 'delay / minutes', current: 0, shadow: 0 }])
})
