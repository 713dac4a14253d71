import { delayMs } from '@freshet/stage/back-off.ts'
import type { KafkaConnection } from './connect.ts'
import { ConsumerLife } from './group/consumer-life.ts'
import type { GroupConsumerOptions, Handle } from './group/group-options.ts'
import { RebuildTeller } from './group/rebuild-teller.ts'
import { toKafkaError } from './kafka-error.ts'

export type { Batch, IncomingMessage } from './batch.ts'
export type { Lease } from './group/lease.ts'

/**
 * A member of a consumer group that stays alive. kafkajs ends without a word after a TypeError, waits for ever on a
 * handler that hangs or a half-open socket, and goes on with batches that the group has given to others; here the
 * consumer is built anew, and work without a lease cannot commit. Each message comes at least once.
 */
export class GroupConsumer {
  readonly #connection: KafkaConnection
  readonly #options: GroupConsumerOptions

  constructor(connection: KafkaConnection, options: GroupConsumerOptions) {
    this.#connection = connection
    this.#options = options
  }

  /**
   * Hands batches to `handle`, a partition's one after the other. When it resolves, the position moves on; what is
   * committed is what the lease was told. When it rejects with a retryable error the same batch is delivered again
   * after a pause; with another FreshetError the run ends with it; with anything else, a bug, it is logged as an error
   * and delivered again.
   *
   * Resolves when `signal` aborts, after the batches in hand are finished and committed, within about 15 s.
   * @throws errors that a retry cannot help: KAFKA_UNAUTHORIZED, TOPIC_MISSING, KAFKA_REFUSED, and the handler's own
   */
  async run(handle: Handle, signal: AbortSignal): Promise<void> {
    const { clock, log, groupId } = this.#options
    const teller = new RebuildTeller(groupId, log, clock)
    let seenMs = clock.nowMs()
    for (let failures = 0; !signal.aborted; failures++) {
      const life = new ConsumerLife(this.#connection, this.#options, handle)
      try {
        return await life.run(signal)
      } catch (error) {
        const known = toKafkaError(error, `consuming as ${groupId}`)
        if (life.delivered > 0) {
          failures = 0
          seenMs = clock.nowMs()
        }
        const mayAppear = known.code === 'TOPIC_MISSING' && clock.nowMs() - seenMs < TOPIC_GRACE_MS
        if (!known.retryable && known.code !== 'BUG' && !mayAppear) throw known
        teller.tell(known)
        await clock.sleep(delayMs(BACK_OFF, failures, Math.random), signal)
      }
    }
  }
}

/** A new topic takes a moment until every broker knows it. */
const TOPIC_GRACE_MS = 5_000
/** On top of kafkajs's own tries to connect, which take 3 s. */
const BACK_OFF = { firstMs: 200, maxMs: 2_000 }
