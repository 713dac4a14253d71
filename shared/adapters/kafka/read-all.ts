import { FreshetError } from '@freshet/errors/errors.ts'
import { Standstill } from '@freshet/stage/standstill.ts'
import type { KafkaConnection } from './connect.ts'
import { readTopicEnds } from './partition-ends.ts'
import { type OnMessage, readOn } from './read-on.ts'
import { startOf } from './start-offsets.ts'

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
  const bounds = await readTopicEnds(connection, topic, stop)
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
  await readOn(connection, topic, starts, { onMessage: untilEnd }, AbortSignal.any([stop, done.signal]))
  if (left.size > 0)
    throw new FreshetError(
      'DEADLINE',
      `${topic} is not read to its end: ${late.aborted ? `${limitMs} ms are over${isWhole ? '' : ' without a message'}` : 'the caller stopped'}, ${left.size} partitions are left`,
    )
}
