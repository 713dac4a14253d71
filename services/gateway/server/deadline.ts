import { FreshetError } from '@freshet/errors/errors.ts'

/** When a request was accepted and when its answer must be out, in milliseconds of `performance.now()`. */
export interface Deadline {
  readonly acceptedAtMs: number
  readonly endsAtMs: number
}

/** What writing an answer takes, and the little by which timers are late. */
export const RESERVE_MS = 2

/**
 * @param asked what the caller wants to wait, as it stands in header or query; it can only lower the limit.
 * @throws REQUEST_INVALID
 */
export function deadlineOf(
  acceptedAtMs: number,
  limitMs: number,
  asked: string | null | undefined,
): Deadline {
  if (asked === null || asked === undefined) return { acceptedAtMs, endsAtMs: acceptedAtMs + limitMs }
  if (!/^[1-9]\d{0,8}$/.test(asked))
    throw new FreshetError('REQUEST_INVALID', 'the deadline is not a whole number of milliseconds from 1')
  return { acceptedAtMs, endsAtMs: acceptedAtMs + Math.min(limitMs, Number(asked)) }
}

/**
 * Calls back after `ms`, unless cancelled by clearTimeout. First the loop reads what has arrived: after a standstill
 * the awaited reply may lie in the socket already.
 *
 * One timer a wait: with expiry counted in it is cheaper than one tick for all, exact to a millisecond, and takes
 * deadlines of any length (figures: decisions/0006).
 */
export function whenLate(ms: number, late: () => void): NodeJS.Timeout {
  return setTimeout(() => setImmediate(late), ms)
}

/** A timer this late was held up by our own loop: no fault of whoever was waited for. */
const HELD_UP_MS = 10

/** Whether a wait that was to end after `waitMs` says nothing about whoever was waited for. */
export function isHeldUp(waitMs: number, tookMs: number): boolean {
  return tookMs > waitMs + HELD_UP_MS
}

/**
 * What is promised, or undefined when it is not there by then; what comes of it later is nobody’s.
 * @param endsAtMs of `performance.now()`.
 */
export function before<T>(promised: Promise<T>, endsAtMs: number): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = whenLate(Math.max(0, endsAtMs - performance.now()), () => resolve(undefined))
    promised.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
