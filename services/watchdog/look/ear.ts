import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import type { IncomingMessage } from '@freshet/adapters/kafka/consumer.ts'
import { tail } from '@freshet/adapters/kafka/read-all.ts'
import { toFreshetError } from '@freshet/errors/errors.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { type BackOff, delayMs } from '@freshet/stage/back-off.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'

const BACK_OFF: BackOff = { firstMs: 500, maxMs: 5_000 }

export interface EarOptions {
  readonly connection: KafkaConnection
  readonly topic: string
  /** What is of this time and later is heard, also what was said before; asked again after each outage. */
  readonly sinceMs: () => number
  /** How late something may be heard: the less there is to hear at once, the more hearing it costs. */
  readonly gatherMs: number
  readonly clock: Clock
  readonly log: Log
  /** After an outage some of it comes again. */
  readonly onMessage: (partition: number, message: IncomingMessage) => void
}

/** Follows a topic until `signal` aborts, through every outage of Kafka. */
export async function listen(options: EarOptions, signal: AbortSignal): Promise<void> {
  const { connection, topic, gatherMs, clock, log } = options
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const onMessage = (partition: number, message: IncomingMessage) => {
        attempt = 0
        options.onMessage(partition, message)
      }
      await tail(connection, topic, { fromTimestampMs: options.sinceMs(), gatherMs, onMessage, signal })
    } catch (error) {
      const { code, message } = toFreshetError(error)
      log.warn(`${topic} cannot be followed`, {
        [ATTRIBUTES.errorType]: code,
        [ATTRIBUTES.exceptionMessage]: message,
      })
    }
    await clock.sleep(delayMs(BACK_OFF, attempt, Math.random), signal)
  }
}
