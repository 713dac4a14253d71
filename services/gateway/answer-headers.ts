import type { Answer } from '@freshet/records/answer.ts'
import type { AnswerTally } from './many/tally.ts'

type Headers = Readonly<Record<string, string>>

/**
 * What an answer says of itself, as headers that proxies and browsers know: `Age` in whole seconds (RFC 9111),
 * `Cache-Status`, the store nearest to the model first (RFC 9211), and `Server-Timing` in milliseconds.
 * @param others that go before them
 */
export function answerHeaders(others: Headers, answer: Answer, tookMs: number): Headers {
  return headers(others, cacheStatus(answer), answer.age_ms, tookMs)
}

/** The same of many answers: the age is that of the oldest. */
export function tallyHeaders(others: Headers, tally: AnswerTally, tookMs: number): Headers {
  return headers(others, tallyStatus(tally), tally.oldestMs, tookMs)
}

/** One object, and its spread first: that V8 copies at once, a later one name by name. */
function headers(others: Headers, status: string, ageMs: number | null, tookMs: number): Headers {
  const all: Record<string, string> = {
    ...others,
    'cache-status': status,
    'server-timing': `total;dur=${tookMs.toFixed(2)}`,
  }
  if (ageMs !== null) all['age'] = `${Math.floor(ageMs / 1_000)}`
  return all
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
