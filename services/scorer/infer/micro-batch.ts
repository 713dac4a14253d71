import { keyLengthOf, valueLengthOf } from '@freshet/adapters/kafka/wire/message-parts.ts'
import { scoreRowBytes } from '@freshet/records/score-batch.ts'
import type { ChangeMessage } from './change-message.ts'

/** Kafka's default limit of a message is 1 MiB, with all that is around it. */
export const MAX_SCORE_BYTES = 900_000

export interface MicroBatchLimits {
  readonly maxRows: number
  /** Of documents, before scoring. */
  readonly maxBytes: number
  /** Of the score batch that they become: one message, which the broker must take. */
  readonly maxScoreBytes: number
  /** Scores in one row. */
  readonly outputs: number
}

/**
 * Cuts what a fetch brought into batches that are scored, produced and committed one by one: together they are the
 * messages in their order. A message that is over a limit by itself stands alone.
 *
 * There is no bound in time: a fetch returns as soon as one change is there, and under load batches grow by
 * themselves, because changes gather while the last batch is worked on. why: decisions/0003
 */
export function* cutMicroBatches<M extends Pick<ChangeMessage, 'key' | 'value'>>(
  messages: readonly M[],
  { maxRows, maxBytes, maxScoreBytes, outputs }: MicroBatchLimits,
): Generator<readonly M[]> {
  let from = 0
  let bytes = 0
  let scoreBytes = 0
  for (let at = 0; at < messages.length; at++) {
    const message = messages[at]!
    const moreBytes = valueLengthOf(message)
    const moreScoreBytes = scoreRowBytes(keyLengthOf(message), outputs)
    const full =
      at - from === maxRows || bytes + moreBytes > maxBytes || scoreBytes + moreScoreBytes > maxScoreBytes
    if (full && at > from) {
      yield messages.slice(from, at)
      from = at
      bytes = 0
      scoreBytes = 0
    }
    bytes += moreBytes
    scoreBytes += moreScoreBytes
  }
  if (from < messages.length) yield messages.slice(from)
}
