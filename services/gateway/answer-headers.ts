import type { Answer } from '@freshet/records/answer.ts'

/**
 * What an answer says of itself, as headers that proxies and browsers know: `Age` in whole seconds (RFC 9111),
 * `Cache-Status`, the store nearest to the model first (RFC 9211), and `Server-Timing` in milliseconds.
 */
export function answerHeaders(answer: Answer, tookMs: number): Record<string, string> {
  return {
    'cache-status': cacheStatus(answer),
    'server-timing': `total;dur=${tookMs.toFixed(2)}`,
    ...(answer.age_ms !== null && { age: `${Math.floor(answer.age_ms / 1_000)}` }),
  }
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
