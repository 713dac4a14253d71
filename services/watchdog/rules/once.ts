import { ERRORS, type ErrorCode } from '@freshet/errors/errors.ts'
import { codeOf, faultsOf } from './living.ts'
import type { Rule, Symptom } from './rule.ts'

/** The last run of `freshet once` says in its last word that it failed; a later one that is well takes that back. */
export const once: Rule = {
  name: 'once',
  find({ now }) {
    const runs = now.instances.filter(({ heartbeat }) => heartbeat.service === 'once')
    const last = runs.toSorted((a, b) => a.heartbeat.startedAtMs - b.heartbeat.startedAtMs).at(-1)
    const [fault] = last === undefined ? [] : faultsOf(last.heartbeat)
    if (fault === undefined) return []
    return [runFailed({ error: fault.error, run: last!.heartbeat.instance })]
  },
}

/** Also what a run says itself, where no watchdog lives. @param error as `CODE: message`; absent when it is over */
export function runFailed({ error, run }: { readonly error?: string; readonly run?: string }): Symptom {
  const code = codeOf(error ?? '') as ErrorCode
  return {
    id: 'once',
    title: 'a run of `freshet once` failed',
    details: { ...(error !== undefined && { Error: error }), ...(run !== undefined && { Run: run }) },
    advice: {
      effect: 'what has changed since the last run that was well has no new score',
      firstLook: ERRORS[code]?.hint ?? 'the log of the run; the next one goes on where it was',
    },
  }
}
