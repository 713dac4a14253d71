/** What callers get. What comes from the gateway has the gateway's own types: there are no copies that could differ. */
import type { Problem } from '@freshet/gateway/routes/schemas.ts'
import type { Answer } from '@freshet/records/answer.ts'

/** Why there is no answer from the gateway. */
export const CLIENT_REASONS = {
  gateway_unreachable: 'No connection, or it broke off.',
  gateway_late: 'No answer before the deadline.',
  gateway_cut_off:
    'It failed too often just now, and is tried again every moment: this call did not wait at all.',
  gateway_refused: 'It understood, and said no: `problem` says why.',
  gateway_malformed: 'What came was no answer of a gateway; look at what stands in between.',
  client_overloaded: 'Too many calls of this client are in flight.',
  request_unsendable:
    'It cannot be written down: the document refers to itself or holds a BigInt, or `traceparent` failed. Nothing was sent.',
  key_invalid:
    'No document has such a key: it is empty, longer than 768 bytes, or holds half of a surrogate pair. Nothing was sent.',
  unknown: 'Nobody has a score for the key.',
  deleted: 'The document was deleted.',
  unscorable: 'The document cannot be scored: `problem` says why.',
} as const satisfies Record<string, string>

export type ClientReason = keyof typeof CLIENT_REASONS

/** In place of an answer, with the same fields, so that `score` can be read without looking. */
export interface NoAnswer {
  readonly key: string | null
  /** The caller's own default. */
  readonly score: number | null
  readonly scores?: undefined
  readonly source: 'none'
  readonly age_ms: null
  readonly as_of: null
  readonly model: null
  /** False where asking again would not help: unknown, deleted, unscorable, key_invalid. */
  readonly degraded: boolean
  readonly reason: ClientReason
  /** What the gateway said, where it said anything (RFC 9457). */
  readonly problem?: Problem
}

export type Result = Answer | NoAnswer

/** In place of an answer that is about more than one document. */
export interface Outage {
  readonly source: 'none'
  readonly degraded: true
  readonly reason: ClientReason
  readonly problem?: Problem
}

/** For callers that asked for errors. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError'
  readonly reason: ClientReason
  readonly problem: Problem | undefined

  constructor({ reason, problem }: Pick<Outage, 'reason' | 'problem'>) {
    super(
      `${reason}: ${problem === undefined ? CLIENT_REASONS[reason] : `${problem.code}: ${problem.detail}`}`,
    )
    this.reason = reason
    this.problem = problem
  }
}
