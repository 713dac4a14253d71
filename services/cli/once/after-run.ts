/** What people are told of runs that fail: a run every five minutes must not mean a message every five minutes. Pure. */
import type { RuleSettings } from '@freshet/config/alert-rules.ts'
import type { AlertMessage, Finding } from '@freshet/records/alert-state.ts'
import type { Told } from '@freshet/records/told.ts'
import { runFailed } from '@freshet/watchdog/rules/once.ts'
import { shortTexts } from '@freshet/watchdog/rules/short-texts.ts'

/** Why a run failed; null when it did not. */
export type Failure = { readonly code: string; readonly message: string } | null

export interface RunMoment {
  readonly nowMs: number
  readonly repeatMs: number
  /** `watchdog.rules.once` */
  readonly rule: Pick<RuleSettings, 'severity' | 'forSeconds'>
}

/**
 * @param told of the runs before; null when the last one was well
 * @returns what people are to be told now, if anything, and what to remember
 */
export function afterRun(
  told: Told | null,
  failure: Failure,
  { nowMs, repeatMs, rule }: RunMoment,
): { readonly message: AlertMessage | null; readonly told: Told | null } {
  const sinceMs = told?.sinceMs ?? nowMs
  const message = (change: AlertMessage['change'], finding: Finding): AlertMessage => ({
    id: `once-${nowMs}`,
    change,
    atMs: nowMs,
    alerts: [{ finding, sinceMs, measures: [] }],
    more: 0,
    begunAtMs: null,
  })
  if (failure === null) return { message: told && message('resolved', findingOf(null, rule)), told: null }
  const isKnown = told?.errorCode === failure.code
  if (isKnown && nowMs - told.toldAtMs < repeatMs) return { message: null, told }
  const next: Told = { version: 1, sinceMs, toldAtMs: nowMs, errorCode: failure.code }
  return { message: message(isKnown ? 'reminder' : 'firing', findingOf(failure, rule)), told: next }
}

/** The same finding that the watchdog makes of a run's last word. */
function findingOf(failure: Failure, { severity, forSeconds }: RunMoment['rule']): Finding {
  const { id, ...texts } = runFailed(failure === null ? {} : { error: `${failure.code}: ${failure.message}` })
  return { id, kind: 'once', severity, forSeconds, ...shortTexts(texts) }
}
