import { randomUUID } from 'node:crypto'
import { FreshetError } from '@freshet/errors/errors.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { Standstill } from '@freshet/stage/standstill.ts'
import { type KafkaConnection, withAdmin } from './connect.ts'
import { GroupConsumer, type IncomingMessage } from './consumer.ts'
import type { GroupConsumerOptions } from './group-options.ts'
import { startOf } from './start-offsets.ts'

/** A promise holds up the partition, for at most 30 s; where it rejects, its message may come again. */
export type OnMessage = (partition: number, message: IncomingMessage) => void | Promise<void>

type OnOutside = NonNullable<GroupConsumerOptions['onOutside']>

/**
 * Reads a topic from its beginning to where it ends now. Each message comes once, in the order of its partition.
 * @param options `from`: where to begin instead, by partition. An offset that the log does not hold is its beginning;
 *   `onGone` is told how many messages are missing there. `deadlineMs`: for all of it, or where it may take as long as
 *   it goes on, `standstillMs`: without a message
 * @throws DEADLINE after these, or when `signal` aborts: what has come is not all. TOPIC_MISSING, and what `onMessage`
 *   throws
 */
export async function readAll(
  connection: KafkaConnection,
  topic: string,
  options: {
    from?: ReadonlyMap<number, number>
    onGone?: (partition: number, missing: number) => void
    onMessage: OnMessage
    signal: AbortSignal
  } & ({ deadlineMs: number } | { standstillMs: number }),
): Promise<void> {
  const { from, onGone, onMessage, signal } = options
  const isWhole = 'deadlineMs' in options
  const limitMs = isWhole ? options.deadlineMs : options.standstillMs
  using standstill = new Standstill(limitMs)
  const late = standstill.signal
  const stop = AbortSignal.any([signal, late])
  const bounds = await boundsOf(connection, topic, stop)
  const starts = new Map(
    bounds.map((at) => {
      const { offset, outside } = startOf({ ...at, committed: undefined, wanted: from?.get(at.partition) })
      if (outside) onGone?.(at.partition, outside.missing)
      return [at.partition, offset]
    }),
  )
  const left = new Map(
    bounds
      .filter(({ partition, high }) => starts.get(partition)! < high)
      .map((at) => [at.partition, at.high]),
  )
  if (left.size === 0) return
  const done = new AbortController()
  const untilEnd: OnMessage = (partition, message) => {
    const high = left.get(partition)
    if (high === undefined || message.offset >= high) return
    const taken = () => {
      if (!isWhole) standstill.progress()
      if (message.offset === high - 1) left.delete(partition)
      if (left.size === 0) done.abort()
    }
    return onMessage(partition, message)?.then(taken) ?? taken()
  }
  await follow(connection, topic, starts, { onMessage: untilEnd }, AbortSignal.any([stop, done.signal]))
  if (left.size > 0)
    throw new FreshetError(
      'DEADLINE',
      `${topic} is not read to its end: ${late.aborted ? `${limitMs} ms are over${isWhole ? '' : ' without a message'}` : 'the caller stopped'}, ${left.size} partitions are left`,
    )
}

/**
 * Follows a topic until `signal` aborts. Each message comes once, in the order of its partition.
 * @param options `fromTimestampMs`: begin at the first message that is not older; else with what comes from now on. `from`:
 *   where to begin instead, by partition; an offset that the log does not hold is its beginning. `gatherMs`: how long
 *   messages may gather at the broker, for who has time: each answer costs the same, however few. `onUpToDate`: called
 *   once all has come that was there at the beginning. `onOutside`: see GroupConsumerOptions; of a topic that was made anew
 *   messages come with offsets that came before
 * @throws TOPIC_MISSING, and what `onMessage` throws
 */
export async function tail(
  connection: KafkaConnection,
  topic: string,
  options: {
    fromTimestampMs?: number
    from?: ReadonlyMap<number, number>
    gatherMs?: number
    onMessage: OnMessage
    onUpToDate?: () => void
    onOutside?: OnOutside
    signal: AbortSignal
  },
): Promise<void> {
  const { fromTimestampMs, from, gatherMs, onMessage, onUpToDate, onOutside, signal } = options
  const begun = await startsOf(connection, topic, { fromTimestampMs, from, onOutside }, signal).catch(
    (error: unknown) => {
      if (!signal.aborted) throw error
    },
  )
  if (begun === undefined) return
  const { starts, left } = begun
  if (left.size === 0) onUpToDate?.()
  const reached = (partition: number, offset: number) => {
    if (offset < (left.get(partition) ?? Number.POSITIVE_INFINITY)) return
    left.delete(partition)
    if (left.size === 0) onUpToDate?.()
  }
  const untilUpToDate: OnMessage = (partition, message) => {
    const taken = () => reached(partition, message.offset + 1)
    return onMessage(partition, message)?.then(taken) ?? taken()
  }
  const restarted: OnOutside = (partition, log) => {
    onOutside?.(partition, log)
    if (left.has(partition)) left.set(partition, log.high)
    reached(partition, log.offset)
  }
  await follow(
    connection,
    topic,
    starts,
    { onMessage: untilUpToDate, onOutside: restarted, gatherMs },
    signal,
  )
}

/** A group of one that commits nothing: kafkajs reads only in groups. The position lives here, so a rebuilt consumer goes on. */
async function follow(
  connection: KafkaConnection,
  topic: string,
  positions: Map<number, number>,
  {
    onMessage,
    onOutside,
    gatherMs,
  }: { onMessage: OnMessage; onOutside?: OnOutside; gatherMs?: number | undefined },
  signal: AbortSignal,
): Promise<void> {
  const consumer = new GroupConsumer(connection, {
    groupId: `${connection.clientId}.reader.${randomUUID()}`,
    topic,
    stallMs: 30_000,
    ...(gatherMs !== undefined && { maxWaitMs: gatherMs, minFetchBytes: GATHERED_BYTES }),
    log: connection.log,
    clock: systemClock,
    onAssigned: async () => positions,
    onOutside(partition, log) {
      positions.set(partition, log.offset)
      onOutside?.(partition, log)
    },
  })
  await consumer.run(async ({ partition, messages }) => {
    for (const message of messages) {
      if (signal.aborted) return
      if (message.offset < (positions.get(partition) ?? 0)) continue
      const taking = onMessage(partition, message)
      if (taking !== undefined) await taking // without a promise nothing may come between message and position
      positions.set(partition, message.offset + 1)
    }
  }, signal)
}

/** More than gathers in a moment, and as much as an answer may hold. */
const GATHERED_BYTES = 1024 * 1024

interface Begun {
  /** By partition, what is read first. */
  readonly starts: Map<number, number>
  /** By partition that has something to read: where it ends now. */
  readonly left: Map<number, number>
}

async function startsOf(
  connection: KafkaConnection,
  topic: string,
  {
    fromTimestampMs,
    from,
    onOutside,
  }: {
    fromTimestampMs: number | undefined
    from: ReadonlyMap<number, number> | undefined
    onOutside: OnOutside | undefined
  },
  signal: AbortSignal,
): Promise<Begun> {
  const byTime =
    fromTimestampMs === undefined ? undefined : await offsetsAt(connection, topic, fromTimestampMs, signal) // before the ends: none is beyond them
  const bounds = await boundsOf(connection, topic, signal)
  const starts = new Map(
    bounds.map(({ partition, low, high }) => {
      const committed = byTime?.get(partition) ?? high
      const { offset, outside } = startOf({ low, high, committed, wanted: from?.get(partition) })
      if (outside) onOutside?.(partition, { offset, high })
      return [partition, offset]
    }),
  )
  const unread = bounds.filter(({ partition, high }) => starts.get(partition)! < high)
  return { starts, left: new Map(unread.map(({ partition, high }) => [partition, high])) }
}

async function boundsOf(connection: KafkaConnection, topic: string, signal: AbortSignal) {
  const ends = await withAdmin(connection, { doing: `reading the ends of ${topic}`, signal }, (admin) =>
    admin.fetchTopicOffsets(topic),
  )
  return ends.map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }))
}

async function offsetsAt(
  connection: KafkaConnection,
  topic: string,
  timestampMs: number,
  signal: AbortSignal,
) {
  const offsets = await withAdmin(
    connection,
    { doing: `reading offsets of ${topic} by time`, signal },
    (admin) => admin.fetchTopicOffsetsByTimestamp(topic, timestampMs),
  )
  return new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]))
}
