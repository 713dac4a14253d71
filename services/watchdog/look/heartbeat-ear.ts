import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import type { IncomingMessage } from '@freshet/adapters/kafka/consumer.ts'
import { tail } from '@freshet/adapters/kafka/read-all.ts'
import { toFreshetError } from '@freshet/errors/errors.ts'
import { heartbeatRecord, isHeartbeatKey } from '@freshet/records/heartbeat.ts'
import { topicName } from '@freshet/records/topics.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { type BackOff, delayMs } from '@freshet/stage/back-off.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import type { Heard } from './heard.ts'

const BACK_OFF: BackOff = { firstMs: 500, maxMs: 5_000 }

export interface EarOptions {
  readonly connection: KafkaConnection
  readonly pipeline: string
  readonly heard: Heard
  /** Heartbeats of this time and later are heard, also those that were said before. */
  readonly sinceMs: number
  readonly clock: Clock
  readonly log: Log
}

/** Follows the heartbeats until `signal` aborts, through every outage of Kafka. */
export async function listen(options: EarOptions, signal: AbortSignal): Promise<void> {
  const { connection, pipeline, clock, log } = options
  const topic = topicName(pipeline, 'heartbeats')
  let fromTimestampMs = options.sinceMs
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const onMessage = (_partition: number, message: IncomingMessage) => {
        attempt = 0
        fromTimestampMs = Math.max(fromTimestampMs, message.timestampMs)
        take(message, options)
      }
      await tail(connection, topic, { fromTimestampMs, onMessage, signal })
    } catch (error) {
      log.warn('heartbeats cannot be followed', describe(error))
    }
    await clock.sleep(delayMs(BACK_OFF, attempt, Math.random), signal)
  }
}

function take({ key, value, timestampMs }: IncomingMessage, { heard, clock, log }: EarOptions): void {
  const name = key?.toString() ?? ''
  if (value === null || !isHeartbeatKey(name)) return
  try {
    heard.hear(heartbeatRecord.decode(value), { atMs: timestampMs, nowMs: clock.nowMs() })
  } catch (error) {
    log.warn(`the heartbeat of ${name} cannot be read`, describe(error))
  }
}

function describe(error: unknown) {
  const { code, message } = toFreshetError(error)
  return { [ATTRIBUTES.errorType]: code, [ATTRIBUTES.exceptionMessage]: message }
}
