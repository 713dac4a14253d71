import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Consumer } from 'kafkajs'
import { type KafkaConnection, withAdmin } from './connect.ts'
import type { GroupConsumerOptions } from './group-options.ts'
import { readGroupPositions } from './group-positions.ts'
import { startOf } from './start-offsets.ts'
import type { Term } from './term.ts'

/**
 * Puts a consumer, whose partitions are paused, where its term begins, and lets it read. Every partition is sought, also
 * where kafkajs would begin by itself: a seek left over from an earlier term would win.
 */
export async function seekToStart(
  connection: KafkaConnection,
  consumer: Consumer,
  options: GroupConsumerOptions,
  term: Term,
): Promise<void> {
  const { groupId, topic, log, onAssigned } = options
  if (term.partitions.length === 0) return
  const wanted = await onAssigned?.(term.partitions)
  const positions = await withAdmin(
    connection,
    { doing: `reading where ${groupId} stands`, signal: term.signal },
    (admin) => readGroupPositions(admin, { groupId, topic }),
  ).catch((error: unknown) => {
    if (!term.signal.aborted) throw error
  })
  if (positions === undefined || term.signal.aborted) return
  for (const { partition, ...position } of positions) {
    if (!term.partitions.includes(partition)) continue
    const { offset, outside } = startOf({ ...position, wanted: wanted?.get(partition) })
    term.positions.set(partition, offset)
    const note = offset === position.committed ? position.note : ''
    term.starts.set(partition, { nextOffset: offset, note })
    consumer.seek({ topic, partition, offset: `${offset}` })
    if (!outside) continue
    options.onOutside?.(partition, { offset, high: position.high })
    const where = `${topic}[${partition}], which now holds ${position.low} to ${position.high}`
    log.warn(
      `${groupId} stood at ${outside.position} of ${where}: ${outside.missing} messages are gone; it reads from ${offset}`,
      {
        [ATTRIBUTES.messagingGroup]: groupId,
        [ATTRIBUTES.messagingDestination]: topic,
        [ATTRIBUTES.messagingPartition]: `${partition}`,
        [ATTRIBUTES.missingMessages]: outside.missing,
      },
    )
  }
  consumer.resume([{ topic, partitions: [...term.partitions] }])
}
