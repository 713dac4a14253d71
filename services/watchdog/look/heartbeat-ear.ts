import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import type { IncomingMessage } from '@freshet/adapters/kafka/consumer.ts'
import { followTopic } from '@freshet/adapters/kafka/follow-topic.ts'
import { heartbeatRecord, isHeartbeatKey } from '@freshet/records/heartbeat.ts'
import { topicName } from '@freshet/records/topics.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { errorAttributes } from '@freshet/stage/error-attributes.ts'
import type { Log } from '@freshet/stage/log.ts'
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
  const { connection, pipeline, heard, sinceMs, clock, log } = options
  await followTopic(
    {
      ...{ connection, topic: topicName(pipeline, 'heartbeats'), sinceMs, gatherMs: GATHER_MS, clock, log },
      otherwise: 'nobody knows who lives',
      onMessage: (_partition, message) => take(message, options),
      onUpToDate: () => heard.upToDate(),
    },
    signal,
  )
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
    log.warn(`the heartbeat of ${name} cannot be read`, errorAttributes(error))
  }
}
