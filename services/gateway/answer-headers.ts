import type { Answer } from '@freshet/records/answer.ts'
import type { AnswerTally } from './many/tally.ts'

/**
 * What an answer says of itself, as lines of headers that proxies and browsers know: `Age` in whole seconds (RFC 9111),
 * `Cache-Status`, the store nearest to the model first (RFC 9211), and `Server-Timing` in milliseconds.
 */
export function answerLines(answer: Answer, tookMs: number): string {
  return lines(cacheStatus(answer), answer.age_ms, tookMs)
}

/** The same of many answers: the age is that of the oldest. */
export function tallyLines(tally: AnswerTally, tookMs: number): string {
  return lines(tallyStatus(tally), tally.oldestMs, tookMs)
}

function lines(status: string, ageMs: number | null, tookMs: number): string {
  const age = ageMs === null ? '' : `age: ${Math.floor(ageMs / 1_000)}\r\n`
  return `cache-status: ${status}\r\nserver-timing: total;dur=${hundredths(tookMs)}\r\n${age}`
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
