import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import type { IncomingMessage } from '@freshet/adapters/kafka/consumer.ts'
import { toFreshetError } from '@freshet/errors/errors.ts'
import { heartbeatRecord, isHeartbeatKey } from '@freshet/records/heartbeat.ts'
import { topicName } from '@freshet/records/topics.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { listen } from './ear.ts'
import type { Heard } from './heard.ts'

/** Silence is judged by tens of seconds. */
const GATHER_MS = 2_000

export interface HeartbeatEarOptions {
  readonly connection: KafkaConnection
  readonly pipeline: string
  readonly heard: Heard
  /** Heartbeats of this time and later are heard, also those that were said before. */
  readonly sinceMs: number
  readonly clock: Clock
  readonly log: Log
}

/** Hears the heartbeats until `signal` aborts, through every outage of Kafka. */
export async function hearHeartbeats(options: HeartbeatEarOptions, signal: AbortSignal): Promise<void> {
  const { connection, pipeline, clock, log } = options
  let sinceMs = options.sinceMs
  const onMessage = (_partition: number, message: IncomingMessage) => {
    sinceMs = Math.max(sinceMs, message.timestampMs)
    take(message, options)
  }
  const topic = topicName(pipeline, 'heartbeats')
  const times = { sinceMs: () => sinceMs, gatherMs: GATHER_MS }
  await listen({ connection, topic, ...times, clock, log, onMessage }, signal)
}

function take(
  { key, value, timestampMs }: IncomingMessage,
  { heard, clock, log }: HeartbeatEarOptions,
): void {
  const name = key?.toString() ?? ''
  if (value === null || !isHeartbeatKey(name)) return
  try {
    heard.hear(heartbeatRecord.decode(value), { atMs: timestampMs, nowMs: clock.nowMs() })
  } catch (error) {
    const { code, message } = toFreshetError(error)
    const why = { [ATTRIBUTES.errorType]: code, [ATTRIBUTES.exceptionMessage]: message }
    log.warn(`the heartbeat of ${name} cannot be read`, why)
  }
}
