import type { ShadowReport } from '@freshet/records/shadow-report.ts'
import { expect, test } from 'vitest'
import { describeShadowReport } from './describe-shadow-report.ts'

const report: ShadowReport = {
  version: 1,
  shadow: 'delay@2',
  current: 'delay@1',
  sinceMs: 0,
  instances: ['a', 'b'],
  fromMs: 0,
  toMs: 60_000,
  rows: 2_000,
  skippedRows: 30,
  failedRows: { FIELD_MISSING: 20 },
  scoringMs: 10,
  outputs: [
    {
      name: 'minutes',
      pairs: 3,
      sumCurrent: 6,
      sumShadow: 9,
      sumAbsoluteDifference: 3,
      sample: [
        [0.1, 1, 2],
        [0.2, 2, 3],
        [0.3, 3, 4],
      ],
    },
  ],
}

test('a comparison is told in numbers that a person can judge', () => {
  expect(describeShadowReport(report).split('\n')).toEqual([
    'delay@2 beside delay@1 since 1970-01-01T00:00:00.000Z, as of 1970-01-01T00:01:00.000Z',
    '  2,000 rows, 30 left out because it was behind',
    '  1.0 % without a score of delay@2: 20 FIELD_MISSING',
    '  5 µs a row',
    '  minutes: mean 3, was 2; 3 rows with both',
    '    difference: 1 on average, p5 1, p25 1, p50 1, p75 1, p95 1',
    '    rank correlation: 1',
    '',
  ])
})

test('before the first row it says so', () => {
  const output = {
    name: 'minutes',
    pairs: 0,
    sumCurrent: 0,
    sumShadow: 0,
    sumAbsoluteDifference: 0,
    sample: [],
  }
  const text = describeShadowReport({ ...report, rows: 0, failedRows: {}, outputs: [output] })
  expect(text).toContain('minutes: no row has a score of both')
})
