import { Buffer } from 'node:buffer'
import { hostname, userInfo } from 'node:os'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import { controlKey, type Order, orderRecord } from '@freshet/records/control.ts'
import { topicName } from '@freshet/records/topics.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { ControlView } from '@freshet/watchdog/alerts/control-view.ts'

const WITHIN_MS = 20_000

type Place = Pick<Settings, 'kafka' | 'pipeline'>

/** All that `.control` holds now. @throws TOPIC_MISSING, KAFKA_UNREACHABLE, DEADLINE */
export async function readControl({ kafka, pipeline }: Place, signal: AbortSignal): Promise<ControlView> {
  const view = new ControlView(tellingLog)
  await readAll(
    connectKafka(kafka, { clientId: 'freshet-control', log: quietLog }),
    topicName(pipeline, 'control'),
    { deadlineMs: WITHIN_MS, signal, onMessage: (_, message) => view.hear(message) },
  )
  return view
}

/** What cannot be read of it is said, and the rest is shown. */
const tellingLog = { ...quietLog, error: (message: string) => void process.stderr.write(`${message}\n`) }

/** An order in the place of the one before it. @throws ORDER_NOT_GIVEN, TOPIC_MISSING */
export async function giveOrder(place: Place, order: Order, signal: AbortSignal): Promise<void> {
  await write(place, { key: controlKey(order), value: Buffer.from(orderRecord.encode(order)) }, signal)
}

/**
 * Takes back the order in force that is meant, within one deadline for finding it and taking it back.
 * @returns undefined where there is no such order
 * @throws ORDER_NOT_GIVEN, TOPIC_MISSING, KAFKA_UNREACHABLE, DEADLINE
 */
export async function takeBack(
  place: Place,
  isMeant: (order: Order) => boolean,
  signal: AbortSignal,
): Promise<Order | undefined> {
  const soon = AbortSignal.any([signal, AbortSignal.timeout(WITHIN_MS)])
  const order = (await readControl(place, soon)).orders.inForce(systemClock.nowMs()).find(isMeant)
  if (order !== undefined) await write(place, { key: controlKey(order), value: null }, soon)
  return order
}

async function write(
  { kafka, pipeline }: Place,
  { key, value }: { readonly key: string; readonly value: Buffer | null },
  signal: AbortSignal,
): Promise<void> {
  const connection = connectKafka(kafka, { clientId: 'freshet-control', log: quietLog })
  await using producer = new Producer(connection, {
    clock: systemClock,
    log: quietLog,
    deadlineMs: WITHIN_MS,
  })
  const messages = [{ partition: 0, key: Buffer.from(key), value }]
  try {
    await producer.send(topicName(pipeline, 'control'), messages, signal)
  } catch (cause) {
    throw isFreshetError(cause, 'KAFKA_PRODUCE_DEADLINE') ? notOrdered(cause) : cause
  }
}

/** A service would send it again; here nobody does but who ordered it. */
function notOrdered(error: FreshetError): FreshetError {
  const { message } = isFreshetError(error.cause) ? error.cause : error
  return new FreshetError(
    'ORDER_NOT_GIVEN',
    `Kafka did not take the order within ${WITHIN_MS / 1_000} s: ${message}`,
    { cause: error },
  )
}

/** Who gives an order, where nobody says. */
export function whoAsks(): string {
  return `${userInfo().username}@${hostname()}`
}
