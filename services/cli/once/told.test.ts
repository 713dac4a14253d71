import { slackMessage } from '@freshet/watchdog/slack-message.ts'
import { expect, test } from 'vitest'
import { afterRun, type Failure, type Told, toldRecord } from './told.ts'

const HOUR_MS = 3_600_000
const late: Failure = { code: 'DEADLINE', message: '3 changes are not scored' }

/** A run every so often. */
function tellAll(failures: readonly Failure[], everyMs: number): string[] {
  let told: Told | null = null
  return failures.map((failure, run) => {
    const next = afterRun(told, failure, { nowMs: run * everyMs, repeatMs: 4 * HOUR_MS })
    told = next.told
    return next.message?.change ?? '-'
  })
}

test('of runs that fail again and again people hear once, again after hours, and when one is well', () => {
  expect(tellAll([null, late, late, late, late, late, null, null], HOUR_MS)).toEqual([
    ...['-', 'firing', '-', '-', '-', 'reminder', 'resolved', '-'],
  ])
})

test('another cause is told at once', () => {
  expect(tellAll([late, { code: 'S3_UNREACHABLE', message: 'no answer' }], 1_000)).toEqual([
    'firing',
    'firing',
  ])
})

test('the message says why the run failed and what that means', () => {
  const { message } = afterRun(null, late, { nowMs: 0, repeatMs: 1 })
  const text = JSON.stringify(slackMessage(message!, 'air'))
  expect(text).toContain('FIRING: a run of `freshet once` failed')
  expect(text).toContain('DEADLINE: 3 changes are not scored')
  expect(text).toContain('has no new score')
})

test('what was told keeps its bytes', () => {
  const told: Told = { version: 1, sinceMs: 1, toldAtMs: 2, errorCode: 'DEADLINE' }
  const bytes = '{"version":1,"sinceMs":1,"toldAtMs":2,"errorCode":"DEADLINE"}'
  expect(toldRecord.encode(told)).toBe(bytes)
  expect(toldRecord.decode(bytes)).toEqual(told)
  expect(() => toldRecord.decode('{"version":9}')).toThrow(/version 9, this build reads 1/)
})
