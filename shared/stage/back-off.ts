import { type FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { Clock } from './clock.ts'

export interface BackOff {
  readonly firstMs: number
  readonly maxMs: number
}

/** Doubles up to `maxMs`, with full jitter so that many waiters do not knock together. */
export function delayMs({ firstMs, maxMs }: BackOff, attempt: number, random: () => number): number {
  return Math.ceil(random() * Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30)))
}

/**
 * Repeats `work` until it succeeds, `signal` aborts, or it fails with an error that a retry cannot help: `when` says
 * which ones it can, where that is not all retryable ones.
 * @throws the last error
 */
export async function retry<T>(
  work: () => Promise<T>,
  options: {
    backOff: BackOff
    clock: Clock
    signal: AbortSignal
    when?: (error: FreshetError) => boolean
    onError?: (error: unknown, attempt: number) => void
  },
): Promise<T> {
  const helps = options.when ?? ((error) => error.retryable)
  for (let attempt = 0; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (options.signal.aborted || !isFreshetError(error) || !helps(error)) throw error
      options.onError?.(error, attempt)
      await options.clock.sleep(delayMs(options.backOff, attempt, Math.random), options.signal)
      if (options.signal.aborted) throw error
    }
  }
}
