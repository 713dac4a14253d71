/** Called → results: what a reply of the gateway, or its absence, is to the caller. Pure. */
import type { Absence, Problem } from '@freshet/gateway/routes/schemas.ts'
import type { Answer } from '@freshet/records/answer.ts'
import type { Called } from './gateway-call.ts'
import type { ClientReason, NoAnswer, Outage, Result } from './results.ts'

/** @param score the caller's default */
export function toResult(called: Called, key: string | null, score: number | null): Result {
  if (called.kind !== 'answered') return none(key, score, outage(called))
  return isAnswer(called.body) ? called.body : none(key, score, MALFORMED)
}

/** @param keys of what was asked for, in its order */
export function toResults(
  called: Called,
  keys: readonly (string | null)[],
  score: number | null,
): readonly Result[] {
  if (called.kind !== 'answered') return keys.map((key) => none(key, score, outage(called)))
  const { answers } = called.body as { readonly answers?: unknown }
  if (!Array.isArray(answers) || answers.length !== keys.length)
    return keys.map((key) => none(key, score, MALFORMED))
  return keys.map((key, at) => oneOfMany(answers[at], key, score))
}

/**
 * Of what is about more than one document.
 * @param field that every such reply has
 */
export function toReplyOr<T extends object>(called: Called, field: keyof T): T | Outage {
  if (called.kind !== 'answered') return { source: 'none', degraded: true, ...outage(called) }
  const reply = called.body as T
  return field in reply ? reply : { source: 'none', degraded: true, ...MALFORMED }
}

interface Why {
  readonly reason: ClientReason
  readonly problem?: Problem
}

const MALFORMED: Why = { reason: 'gateway_malformed' }
/** A better answer is nowhere. */
const FINAL: ReadonlySet<ClientReason> = new Set(['unknown', 'deleted', 'unscorable', 'key_invalid'])

function oneOfMany(item: unknown, key: string | null, score: number | null): Result {
  if (isAnswer(item)) return item
  const { absent, problem } = (item ?? {}) as Partial<Absence> & { readonly problem?: Problem }
  if (absent !== undefined) return none(key, score, { reason: absent })
  if (problem !== undefined) return none(key, score, { reason: 'unscorable', problem })
  return none(key, score, MALFORMED)
}

function outage(called: Exclude<Called, { kind: 'answered' }>): Why {
  if (called.kind === 'failed') return { reason: called.reason }
  const { problem } = called
  if (problem.code === 'KEY_UNKNOWN') return { reason: 'unknown', problem }
  return { reason: problem.status === 422 ? 'unscorable' : 'gateway_refused', problem }
}

function none(key: string | null, score: number | null, why: Why): NoAnswer {
  return {
    key,
    score,
    source: 'none',
    age_ms: null,
    as_of: null,
    model: null,
    degraded: !FINAL.has(why.reason),
    ...why,
  }
}

/** A proxy's page is none. */
function isAnswer(value: unknown): value is Answer {
  const { score, source, degraded } = (value ?? {}) as Partial<Answer>
  return (
    (typeof score === 'number' || score === null) &&
    typeof source === 'string' &&
    typeof degraded === 'boolean'
  )
}
