import { settingsSchema } from '@freshet/config/schema.ts'
import type { Told } from '@freshet/records/told.ts'
import { alertNotice } from '@freshet/watchdog/routes/alert-to-notice.ts'
import { slackMessage } from '@freshet/watchdog/routes/formats/slack-blocks.ts'
import { facts, instance } from '@freshet/watchdog/rules/facts.kit.ts'
import { judge } from '@freshet/watchdog/rules/judge.ts'
import { expect, test } from 'vitest'
import { afterRun, type Failure } from './after-run.ts'

const HOUR_MS = 3_600_000
const late: Failure = { code: 'DEADLINE', message: '3 changes are not scored' }

const { rules } = settingsSchema.parse({}).watchdog
const rule = rules.once

/** A run every so often. */
function tellAll(failures: readonly Failure[], everyMs: number): string[] {
  let told: Told | null = null
  return failures.map((failure, run) => {
    const next = afterRun(told, failure, { nowMs: run * everyMs, repeatMs: 4 * HOUR_MS, rule })
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
  const { message } = afterRun(null, late, { nowMs: 0, repeatMs: 1, rule })
  const context = { pipeline: 'air', kibana: undefined, runbookUrl: undefined }
  const text = JSON.stringify(slackMessage(alertNotice(message!, context, 0)))
  expect(text).toContain('FIRING: a run of `freshet once` failed')
  expect(text).toContain('DEADLINE: 3 changes are not scored')
  expect(text).toContain('has no new score')
})

test('the run says of itself what a watchdog would say of it, by the rule of the settings', () => {
  const warning = { ...rule, severity: 'warning' as const }
  const { message } = afterRun(null, late, { nowMs: 0, repeatMs: 1, rule: warning })
  const error = 'DEADLINE: 3 changes are not scored'
  const run = instance('once-1', { status: 'failing', lastError: error })
  const judged = judge(facts({ instances: [run] }), [], { ...rules, once: warning })
  const { details, ...seen } = judged.findings.find(({ kind }) => kind === 'once')!
  const { Run: _, ...known } = details
  expect(message?.alerts[0]?.finding).toEqual({ ...seen, details: known })
  expect(message?.alerts[0]?.finding.severity).toBe('warning')
})
