import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import type { IncomingMessage } from '@freshet/adapters/kafka/consumer.ts'
import { tail } from '@freshet/adapters/kafka/read-all.ts'
import { toFreshetError } from '@freshet/errors/errors.ts'
import { topicName } from '@freshet/records/topics.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { type BackOff, delayMs } from '@freshet/stage/back-off.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import type { ControlView } from './control-view.ts'

const BACK_OFF: BackOff = { firstMs: 500, maxMs: 5_000 }
/** Orders are given by hand, and come seldom. */
const GATHER_MS = 1_000

export interface FollowOptions {
  readonly connection: KafkaConnection
  readonly pipeline: string
  readonly view: ControlView
  readonly clock: Clock
  readonly log: Log
}

/** Hears all of `.control`, from its beginning, until `signal` aborts, through every outage of Kafka. */
export async function followControl(options: FollowOptions, signal: AbortSignal): Promise<void> {
  const { connection, pipeline, view, clock, log } = options
  let fromTimestampMs = 0
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const onMessage = (_partition: number, message: IncomingMessage) => {
        attempt = 0
        fromTimestampMs = Math.max(fromTimestampMs, message.timestampMs)
        view.hear(message)
      }
      await tail(connection, topicName(pipeline, 'control'), {
        fromTimestampMs,
        gatherMs: GATHER_MS,
        onMessage,
        signal,
      })
    } catch (error) {
      const { code, message } = toFreshetError(error)
      log.warn('.control cannot be followed: silences and other orders may be old', {
        [ATTRIBUTES.errorType]: code,
        [ATTRIBUTES.exceptionMessage]: message,
      })
    }
    await clock.sleep(delayMs(BACK_OFF, attempt, Math.random), signal)
  }
}
