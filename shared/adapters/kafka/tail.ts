import { type KafkaConnection, withAdmin } from './connect.ts'
import { readTopicEnds } from './partition-ends.ts'
import { type OnMessage, type OnOutside, readOn } from './read-on.ts'
import { startOf } from './start-offsets.ts'

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
  await readOn(
    connection,
    topic,
    starts,
    { onMessage: untilUpToDate, onOutside: restarted, gatherMs },
    signal,
  )
}

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
  const bounds = await readTopicEnds(connection, topic, signal)
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
