import { expect, test } from 'vitest'
import { type AlertState, alertStateRecord } from './alert-state.ts'

const finding = {
  id: 'lag/air-infer',
  kind: 'lag',
  title: 'air-infer is 42 s behind',
  details: { Behind: '42 s' },
} as const

const state: AlertState = {
  version: 1,
  alerts: [
    { phase: 'pending', finding, sinceMs: 1, badEvaluations: 1 },
    { phase: 'firing', finding, sinceMs: 1, toldAtMs: 2, goodEvaluations: 0 },
  ],
  untold: [{ change: 'firing', finding, sinceMs: 1, atMs: 2 }],
}

test('an alert state of version 1 keeps its bytes', () => {
  const lag =
    '{"id":"lag/air-infer","kind":"lag","title":"air-infer is 42 s behind","details":{"Behind":"42 s"}}'
  const bytes =
    `{"version":1,"alerts":[{"phase":"pending","finding":${lag},"sinceMs":1,"badEvaluations":1},` +
    `{"phase":"firing","finding":${lag},"sinceMs":1,"toldAtMs":2,"goodEvaluations":0}],` +
    `"untold":[{"change":"firing","finding":${lag},"sinceMs":1,"atMs":2}]}`
  expect(alertStateRecord.encode(state)).toBe(bytes)
  expect(alertStateRecord.decode(bytes)).toEqual(state)
})

test('an alert state of another version is refused by name', () => {
  expect(() => alertStateRecord.decode('{"version":9}')).toThrow(/alert state version 9, this build reads 1/)
})
