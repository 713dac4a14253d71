import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import type { IncomingMessage } from '@freshet/adapters/kafka/consumer.ts'
import { followTopic } from '@freshet/adapters/kafka/follow-topic.ts'
import { toFreshetError } from '@freshet/errors/errors.ts'
import { controlKey, orderRecord } from '@freshet/records/control.ts'
import { topicName } from '@freshet/records/topics.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import type { OrderedKeys } from '@freshet/telemetry/traced/ordered-keys.ts'

export interface TraceOrdersOptions {
  readonly connection: KafkaConnection
  readonly pipeline: string
  readonly orders: OrderedKeys
  readonly clock: Clock
  readonly log: Log
}

/** Whoever orders a trace waits anyway, and waiting costs Kafka less than being asked again and again. */
const GATHER_MS = 1_000
/** Names of the orders of this kind: `trace/<key>`. */
const PREFIX = controlKey({
  ...{ order: 'trace', version: 1, key: '', by: '', reason: '', atMs: 0, untilMs: 0 },
})

/** Hears which documents somebody wants to see on their way, until `signal` aborts, through every outage of Kafka. */
export async function followTraceOrders(options: TraceOrdersOptions, signal: AbortSignal): Promise<void> {
  const { connection, pipeline, clock, log } = options
  await followTopic(
    {
      ...{ connection, topic: topicName(pipeline, 'control'), sinceMs: 0, gatherMs: GATHER_MS, clock, log },
      otherwise: 'no document is traced by its name',
      onMessage: (_partition, message) => takeOrder(message, options),
    },
    signal,
  )
}

/** What is no order of a trace is passed over, and one that cannot be read is told: it may be of a later build. */
export function takeOrder(
  { key, value }: Pick<IncomingMessage, 'key' | 'value'>,
  { orders, clock, log }: Pick<TraceOrdersOptions, 'orders' | 'clock' | 'log'>,
): void {
  const name = key?.toString() ?? ''
  if (!name.startsWith(PREFIX)) return
  try {
    const order = value === null ? null : orderRecord.decode(value)
    const untilMs = order?.untilMs ?? 0
    orders.put({ key: name.slice(PREFIX.length), untilMs }, clock.nowMs())
  } catch (error) {
    log.warn(`the order ${name} cannot be read`, {
      [ATTRIBUTES.exceptionMessage]: toFreshetError(error).message,
    })
  }
}
