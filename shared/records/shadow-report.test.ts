import { expect, test } from 'vitest'
import { golden } from './golden/golden.kit.ts'
import { type ShadowReport, shadowReportKey, shadowReportRecord } from './shadow-report.ts'

const report: ShadowReport = {
  version: 1,
  shadow: 'delay@2',
  current: 'delay@1',
  sinceMs: 1_764_000_000_000,
  instances: ['scorer-box1-4711'],
  fromMs: 1_764_000_001_000,
  toMs: 1_764_000_061_000,
  rows: 10,
  skippedRows: 3,
  failedRows: { FIELD_MISSING: 8 },
  scoringMs: 1.5,
  outputs: [
    {
      name: 'arrival_delay_minutes',
      pairs: 2,
      sumCurrent: 7,
      sumShadow: 6.5,
      sumAbsoluteDifference: 1.5,
      sample: [
        [0.25, 3, 4],
        [0.75, 4, 2.5],
      ],
    },
  ],
}

test('a shadow report of version 1 keeps its text and its place', () => {
  const text = golden('shadow-report.v1.txt')
  expect(shadowReportRecord.encode(report)).toBe(text.toString())
  expect(shadowReportRecord.decode(text)).toEqual(report)
  expect(shadowReportKey(report.shadow)).toBe('models/shadow/delay@2/report.json')
})
