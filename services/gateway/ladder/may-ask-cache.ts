import type { Reason } from '@freshet/records/reasons.ts'
import type { Breaker, Ticket } from '@freshet/stage/breaker.ts'
import { type Deadline, RESERVE_MS } from '../server/deadline.ts'
import type { LoopWatch } from '../server/loop-watch.ts'
import { isHeldUp } from '../server/waits.ts'

/** What all rungs that ask the cache share. */
export interface CacheLimits {
  readonly budgetMs: number
  readonly breaker: Breaker
  readonly loop: Pick<LoopWatch, 'isBehind'>
}

/** One question to the cache, which ends as one of the breaker's verdicts. */
export interface Asking {
  readonly askedAtMs: number
  readonly waitMs: number
  readonly ticket: Ticket
}

/** @returns why the cache is not to be asked now, as a reason, or for how long it may be waited for. */
export function mayAskCache(
  { budgetMs, breaker, loop }: CacheLimits,
  { ready, isFull }: { readonly ready: boolean; readonly isFull: boolean },
  deadline: Deadline,
): Asking | Reason {
  const askedAtMs = performance.now()
  const waitMs = Math.min(budgetMs, deadline.endsAtMs - RESERVE_MS - askedAtMs)
  if (!ready) return 'cache_unreachable'
  if (isFull || loop.isBehind(askedAtMs)) return 'overloaded'
  if (waitMs < 1) return 'deadline'
  const ticket = breaker.admit(askedAtMs)
  return ticket === 0 ? 'cache_cut_off' : { askedAtMs, waitMs, ticket }
}

/** Tells the breaker of a reply that has not come: a wait that the caller cut short, or our own loop drew out, says nothing. */
export function judgeLate({ budgetMs, breaker }: CacheLimits, { askedAtMs, waitMs, ticket }: Asking): void {
  const nowMs = performance.now()
  if (waitMs < budgetMs || isHeldUp(waitMs, nowMs - askedAtMs)) breaker.undecided(ticket)
  else breaker.missed(ticket, nowMs)
}
