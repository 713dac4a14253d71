import { expect, test } from 'vitest'
import { newSilence } from './new-silence.ts'

const stamp = { version: 1, by: 'anna', reason: 'disk', atMs: 1, untilMs: 2 } as const

test.each(['lag', 'lag/air-infer', 'silent/*', '*'])('%s may be silenced', (match) => {
  expect(newSilence(match, stamp)).toMatchObject({ order: 'silence', match, by: 'anna' })
})

test('a kind with nothing behind its stroke is no id', () => {
  expect(() => newSilence('lag/', stamp)).toThrow(/no alert has the id "lag\/"/)
})

test.each(['', 'lags', 'lags/air-infer', 'Lag'])('%j is no alert, and a silence in name only', (match) => {
  expect(() => newSilence(match, stamp)).toThrow(/no alert has the kind or id/)
})
