import type { Told } from '@freshet/records/told.ts'
import { alertNotice } from '@freshet/watchdog/routes/alert-to-notice.ts'
import { slackMessage } from '@freshet/watchdog/routes/formats/slack-blocks.ts'
import { expect, test } from 'vitest'
import { afterRun, type Failure } from './told.ts'

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
  const context = { pipeline: 'air', kibana: undefined, runbookUrl: undefined }
  const text = JSON.stringify(slackMessage(alertNotice(message!, context, 0)))
  expect(text).toContain('FIRING: a run of `freshet once` failed')
  expect(text).toContain('DEADLINE: 3 changes are not scored')
  expect(text).toContain('has no new score')
})
