/** What people are told of runs that fail: a run every five minutes must not mean a message every five minutes. Pure. */
import type { AlertMessage, Finding } from '@freshet/records/alert-state.ts'
import type { Told } from '@freshet/records/told.ts'

/** Why a run failed; null when it did not. */
export type Failure = { readonly code: string; readonly message: string } | null

/**
 * @param told of the runs before; null when the last one was well
 * @returns what people are to be told now, if anything, and what to remember
 */
export function afterRun(
  told: Told | null,
  failure: Failure,
  { nowMs, repeatMs }: { readonly nowMs: number; readonly repeatMs: number },
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
  if (failure === null) return { message: told && message('resolved', findingOf(null)), told: null }
  const isKnown = told?.errorCode === failure.code
  if (isKnown && nowMs - told.toldAtMs < repeatMs) return { message: null, told }
  const next: Told = { version: 1, sinceMs, toldAtMs: nowMs, errorCode: failure.code }
  return { message: message(isKnown ? 'reminder' : 'firing', findingOf(failure)), told: next }
}

function findingOf(failure: Failure): Finding {
  return {
    id: 'once',
    kind: 'once',
    severity: 'critical',
    forSeconds: 0,
    title: 'a run of `freshet once` failed',
    details: failure === null ? {} : { Error: `${failure.code}: ${failure.message}` },
    advice: {
      effect: 'what has changed since the last run that was well has no new score',
      firstLook: 'the log of the run; the next one goes on where it was',
    },
  }
}
