import { Buffer } from 'node:buffer'
import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { type Heartbeat, heartbeatKey, heartbeatRecord, type Replaced } from '@freshet/records/heartbeat.ts'
import { topicName } from '@freshet/records/topics.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import type { ServiceState } from './service-state.ts'

export interface HeartbeatOptions {
  readonly connection: KafkaConnection
  readonly pipeline: string
  readonly service: string
  readonly instance: string
  readonly replaces?: Replaced | undefined
  readonly telemetry: Telemetry
  readonly state: ServiceState
  readonly everyMs: number
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** A heartbeat that could not be sent for so long is replaced by the next one. */
const SEND_WITHIN_MS = 5_000
/** The end of a process does not wait longer for its last word. */
const LAST_WORD_WITHIN_MS = 2_000

/** Says every `everyMs` how the instance is, and once more at the end. Kafka being away never ends it. */
export async function runHeartbeats(options: HeartbeatOptions): Promise<void> {
  const { connection, clock, telemetry, everyMs, signal } = options
  const startedAtMs = clock.nowMs()
  await using producer = new Producer(connection, { clock, log: quietLog, deadlineMs: SEND_WITHIN_MS })
  let unheard = false
  while (!signal.aborted) {
    const heard = await beat(producer, options, startedAtMs, signal)
    if (heard === undefined) break
    if (!heard && !unheard) telemetry.log.warn('heartbeats are not heard: Kafka does not take them')
    if (heard && unheard) telemetry.log.info('heartbeats are heard again')
    unheard = !heard
    await clock.sleep(everyMs, signal)
  }
  if (!unheard) await beat(producer, options, startedAtMs, AbortSignal.timeout(LAST_WORD_WITHIN_MS))
}

/** @returns undefined when `signal` ended it: nobody knows whether it was heard */
async function beat(
  producer: Producer,
  options: HeartbeatOptions,
  startedAtMs: number,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const { pipeline, service, instance, replaces, telemetry, state, clock } = options
  const heartbeat: Heartbeat = {
    version: 1,
    service,
    instance,
    startedAtMs,
    atMs: clock.nowMs(),
    metrics: telemetry.metrics.values(),
    ...(replaces && { replaces }),
    ...state.snapshot(),
  }
  const key = Buffer.from(heartbeatKey(service, instance))
  const value = Buffer.from(heartbeatRecord.encode(heartbeat))
  try {
    await producer.send(topicName(pipeline, 'heartbeats'), [{ partition: 0, key, value }], signal)
    return true
  } catch (error) {
    telemetry.log.debug('a heartbeat was not sent', { [ATTRIBUTES.exceptionMessage]: String(error) })
    return signal.aborted ? undefined : false
  }
}
