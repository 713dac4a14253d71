import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import type { IncomingMessage } from '@freshet/adapters/kafka/consumer.ts'
import { tail } from '@freshet/adapters/kafka/read-all.ts'
import { toFreshetError } from '@freshet/errors/errors.ts'
import { controlKey, orderRecord } from '@freshet/records/control.ts'
import { topicName } from '@freshet/records/topics.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { type BackOff, delayMs } from '@freshet/stage/back-off.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import type { OrderedKeys } from '@freshet/telemetry/traced/ordered-keys.ts'

export interface FollowOptions {
  readonly connection: KafkaConnection
  readonly pipeline: string
  readonly orders: OrderedKeys
  readonly clock: Clock
  readonly log: Log
}

const BACK_OFF: BackOff = { firstMs: 500, maxMs: 15_000 }
/** Whoever orders a trace waits anyway, and waiting costs Kafka less than being asked again and again. */
const GATHER_MS = 1_000
/** Names of the orders of this kind: `trace/<key>`. */
const PREFIX = controlKey({
  ...{ order: 'trace', version: 1, key: '', by: '', reason: '', atMs: 0, untilMs: 0 },
})

/** Hears which documents somebody wants to see on their way, until `signal` aborts, through every outage of Kafka. */
export async function followTraceOrders(options: FollowOptions, signal: AbortSignal): Promise<void> {
  const { connection, pipeline, clock, log } = options
  const topic = topicName(pipeline, 'control')
  let isTold = false
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const onMessage = (_partition: number, message: IncomingMessage) => {
        attempt = 0
        isTold = false
        takeOrder(message, options)
      }
      await tail(connection, topic, { fromTimestampMs: 0, gatherMs: GATHER_MS, onMessage, signal })
    } catch (error) {
      const { code, message } = toFreshetError(error)
      if (!isTold && !signal.aborted)
        log.warn(`${topic} cannot be followed: no document is traced by its name`, {
          [ATTRIBUTES.errorType]: code,
          [ATTRIBUTES.exceptionMessage]: message,
        })
      isTold = true
    }
    await clock.sleep(delayMs(BACK_OFF, attempt, Math.random), signal)
  }
}

/** What is no order of a trace is passed over, and one that cannot be read is told: it may be of a later build. */
export function takeOrder(
  { key, value }: Pick<IncomingMessage, 'key' | 'value'>,
  { orders, clock, log }: Pick<FollowOptions, 'orders' | 'clock' | 'log'>,
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
