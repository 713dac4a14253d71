import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import type { IncomingMessage } from '@freshet/adapters/kafka/consumer.ts'
import { followTopic } from '@freshet/adapters/kafka/follow-topic.ts'
import { heartbeatRecord, isHeartbeatKey } from '@freshet/records/heartbeat.ts'
import { topicName } from '@freshet/records/topics.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { errorAttributes } from '@freshet/stage/error-attributes.ts'
import type { Log } from '@freshet/stage/log.ts'
import { Throttle } from '@freshet/stage/throttle.ts'
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
  const take = heartbeatTaker(options)
  await followTopic(
    {
      ...{ connection, topic: topicName(pipeline, 'heartbeats'), sinceMs, gatherMs: GATHER_MS, clock, log },
      otherwise: 'nobody knows who lives',
      onMessage: (_partition, message) => take(message),
      onUpToDate: () => heard.upToDate(),
    },
    signal,
  )
}

/** One that cannot be read comes again every few seconds, and at the start an hour of them at once. */
const SAY_EVERY_MS = 60_000

/** @returns what takes a message of `.heartbeats` */
export function heartbeatTaker({
  heard,
  clock,
  log,
}: Pick<HeartbeatEarOptions, 'heard' | 'clock' | 'log'>): (
  message: Pick<IncomingMessage, 'key' | 'value' | 'timestampMs'>,
) => void {
  const lines = new Throttle(SAY_EVERY_MS, clock)
  return ({ key, value, timestampMs }) => {
    const name = key?.toString() ?? ''
    if (value === null || !isHeartbeatKey(name)) return
    try {
      heard.hear(heartbeatRecord.decode(value), { atMs: timestampMs, nowMs: clock.nowMs() })
    } catch (error) {
      if (lines.pass(name) !== null)
        log.warn(`the heartbeat of ${name} cannot be read`, errorAttributes(error))
    }
  }
}
