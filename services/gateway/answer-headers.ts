import type { Answer } from '@freshet/records/answer.ts'
import type { AnswerTally } from './many/tally.ts'

/** Names and values in turn. */
type Headers = readonly string[]

/**
 * What an answer says of itself, as headers that proxies and browsers know: `Age` in whole seconds (RFC 9111),
 * `Cache-Status`, the store nearest to the model first (RFC 9211), and `Server-Timing` in milliseconds.
 */
export function answerHeaders(answer: Answer, tookMs: number): Headers {
  return headers(cacheStatus(answer), answer.age_ms, tookMs)
}

/** The same of many answers: the age is that of the oldest. */
export function tallyHeaders(tally: AnswerTally, tookMs: number): Headers {
  return headers(tallyStatus(tally), tally.oldestMs, tookMs)
}

function headers(status: string, ageMs: number | null, tookMs: number): Headers {
  const timing = `total;dur=${hundredths(tookMs)}`
  const all = ['cache-status', status, 'server-timing', timing]
  if (ageMs !== null) all.push('age', `${Math.floor(ageMs / 1_000)}`)
  return all
}

/** As `toFixed(2)` for what is not negative, in whole numbers: V8 remembers the texts of those. */
function hundredths(ms: number): string {
  const all = Math.round(ms * 100)
  const rest = all % 100
  return `${(all - rest) / 100}.${rest < 10 ? '0' : ''}${rest}`
}

function cacheStatus({ source, reason }: Answer): string {
  const detail = reason === undefined ? '' : `; detail=${reason}`
  switch (source) {
    case 'live':
      return 'freshet-redis; fwd=bypass'
    case 'cache':
      return `freshet-redis; hit${detail}`
    case 'snapshot':
      return `freshet-snapshot; hit, freshet-redis; fwd=miss${detail}`
    case 'default':
      return `freshet-snapshot; fwd=miss, freshet-redis; fwd=miss${detail}`
  }
}

/** `partial` where a store had some of what was asked for, and how many. */
function tallyStatus({ asked, bySource, reason }: AnswerTally): string {
  const { live, cache, snapshot } = bySource
  const detail = reason === undefined ? '' : `; detail=${reason}`
  if (live === asked) return `freshet-redis; fwd=bypass${detail}`
  if (cache === asked) return `freshet-redis; hit${detail}`
  return `freshet-snapshot; ${share(snapshot, asked)}, freshet-redis; ${share(cache, asked)}`
}

function share(had: number, asked: number): string {
  if (had === 0) return 'fwd=miss'
  return had === asked ? 'hit' : `fwd=partial; detail="${had} of ${asked}"`
}
