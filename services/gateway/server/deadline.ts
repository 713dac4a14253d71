import { FreshetError } from '@freshet/errors/errors.ts'

/** When a request was accepted and when its answer must be out, in milliseconds of `performance.now()`. */
export interface Deadline {
  readonly acceptedAtMs: number
  readonly endsAtMs: number
}

/** What writing an answer takes, and the little by which timers are late. */
export const RESERVE_MS = 2

const MAX_BODY_RESERVE_MS = 10

/**
 * When a body has to be there. Less than a tenth of the time is left then for an answer; and where many callers wait for the
 * network at once, many are refused in one moment, the last of them in time, too.
 */
export function bodyEndsAtMs({ acceptedAtMs, endsAtMs }: Deadline): number {
  return endsAtMs - Math.max(RESERVE_MS, Math.min(MAX_BODY_RESERVE_MS, (endsAtMs - acceptedAtMs) / 10))
}

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
