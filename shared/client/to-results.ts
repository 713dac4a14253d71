/** Called → results: what a reply of the gateway, or its absence, is to the caller. Pure. */
import type { ModelPage } from '@freshet/gateway/live/model-page-schema.ts'
import type { RankReply } from '@freshet/gateway/routes/rank-schema.ts'
import type { Absence, Problem } from '@freshet/gateway/routes/schemas.ts'
import type { Answer } from '@freshet/records/answer.ts'
import { type Called, isProblem } from './gateway-call.ts'
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

/** Of what is about more than one document. */
export function toReplyOr<T extends object>(
  called: Called,
  isReply: (body: unknown) => body is T,
): T | Outage {
  if (called.kind !== 'answered') return { source: 'none', degraded: true, ...outage(called) }
  return isReply(called.body) ? called.body : { source: 'none', degraded: true, ...MALFORMED }
}

export function isRanking(body: unknown): body is RankReply {
  const { answers, pool, degraded, source } = body as Partial<RankReply> & { readonly source?: unknown }
  return (
    Array.isArray(answers) &&
    answers.every(isAnswer) &&
    typeof pool?.size === 'number' &&
    typeof degraded === 'boolean' &&
    source === undefined
  )
}

export function isModelPage(body: unknown): body is ModelPage {
  const { model, generation, degraded, source } = body as Partial<ModelPage> & { readonly source?: unknown }
  return (
    typeof model === 'string' &&
    typeof generation === 'number' &&
    typeof degraded === 'boolean' &&
    source === undefined
  )
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
  if (absent === 'unknown' || absent === 'deleted') return none(key, score, { reason: absent })
  if (isProblem(problem)) return none(key, score, { reason: 'unscorable', problem })
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

/** A proxy's page is none. Sources that this build does not know are let be: a newer gateway may have them. */
function isAnswer(value: unknown): value is Answer {
  const { key, score, scores, source, age_ms, as_of, model, degraded } = (value ?? {}) as Partial<Answer>
  return (
    (typeof score === 'number' || score === null) &&
    (scores === undefined || (typeof scores === 'object' && scores !== null)) &&
    typeof source === 'string' &&
    (source as string) !== 'none' &&
    typeof degraded === 'boolean' &&
    (typeof age_ms === 'number' || age_ms === null) &&
    [key, as_of, model].every((text) => typeof text === 'string' || text === null)
  )
}
