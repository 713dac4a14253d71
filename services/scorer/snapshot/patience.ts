import type { FreshetError } from '@freshet/errors/errors.ts'
import { retry } from '@freshet/stage/back-off.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'

/** Tries again while the store is away. */
export function patiently<T>(
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  signal: AbortSignal,
  work: () => Promise<T>,
  helps: (error: FreshetError) => boolean = passes,
): Promise<T> {
  return retry(work, {
    backOff: BACK_OFF,
    clock,
    signal,
    when: helps,
    onError: (error) => log.error('the snapshot cannot be written yet', error),
  })
}

const BACK_OFF = { firstMs: 200, maxMs: 10_000 }

/** A fence stays: what we hold is another's now. */
export function passes(error: FreshetError): boolean {
  return error.retryable && error.code !== 'MANIFEST_FENCED' && error.code !== 'DEADLINE'
}
