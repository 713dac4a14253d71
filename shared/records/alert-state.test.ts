import { expect, test } from 'vitest'
import { type AlertState, alertStateRecord, type Finding } from './alert-state.ts'
import { golden } from './golden/golden.kit.ts'

const finding: Finding = {
  id: 'lag/air-infer',
  kind: 'lag',
  severity: 'critical',
  forSeconds: 30,
  title: 'air-infer is 42 s behind',
  details: { Behind: '42 s' },
  measure: { value: 42, unit: 's', threshold: 30 },
  causedBy: 'silent/scorer-1',
}
const kept = { finding, sinceMs: 1, measures: [40, 42], openings: [1], flapping: false, heldBack: null }

const state: AlertState = {
  version: 2,
  term: 7,
  writer: 'watchdog-1',
  lookedAtMs: 9,
  alerts: [
    { phase: 'pending', ...kept, toldAtMs: null, badSinceMs: 2 },
    { phase: 'firing', ...kept, toldAtMs: 2, heldBack: 'silence 3f2a', goodSinceMs: null },
    { phase: 'resolved', ...kept, toldAtMs: null, flapping: true, resolvedAtMs: 3 },
  ],
  untold: [
    {
      id: '2-0',
      change: 'firing',
      atMs: 2,
      alerts: [{ finding, sinceMs: 1, measures: [40, 42] }],
      more: 0,
      begunAtMs: 3,
    },
  ],
}

test('an alert state of version 2 keeps its bytes, but for the runbook that findings once named', () => {
  const bytes = golden('alert-state.v2.txt').toString()
  expect(alertStateRecord.encode(state)).toBe(bytes.replaceAll('"runbook":"lag",', ''))
  expect(alertStateRecord.decode(bytes)).toEqual(state)
})

test('an alert state of version 1 is read: what people know and do not know stays', () => {
  const { alerts, untold } = alertStateRecord.decode(golden('alert-state.v1.txt'))
  expect(alerts.map(({ phase, toldAtMs, sinceMs }) => ({ phase, toldAtMs, sinceMs }))).toEqual([
    { phase: 'pending', toldAtMs: null, sinceMs: 1 },
    { phase: 'firing', toldAtMs: 2, sinceMs: 1 },
  ])
  expect(untold).toEqual([
    {
      id: '2-0',
      change: 'firing',
      atMs: 2,
      alerts: [
        {
          finding: {
            id: 'lag/air-infer',
            kind: 'lag',
            severity: 'critical',
            forSeconds: 0,
            title: 'air-infer is 42 s behind',
            details: { Behind: '42 s' },
          },
          sinceMs: 1,
          measures: [],
        },
      ],
      more: 0,
      begunAtMs: null,
    },
  ])
})

test('an alert state of another version is refused by name', () => {
  expect(() => alertStateRecord.decode('{"version":9}')).toThrow(/alert state version 9, this build reads 2/)
})
