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
export function inTime<T>(promised: Promise<T>, endsAtMs: number): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = whenLate(Math.max(0, endsAtMs - performance.now()), () => resolve(undefined))
    promised.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
