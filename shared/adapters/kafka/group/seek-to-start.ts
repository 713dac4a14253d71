import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { type KafkaConnection, withAdmin } from '../connect.ts'
import { readGroupPositions } from '../group-positions.ts'
import type { Consumer } from '../kafkajs/kafkajs.ts'
import { startOf } from '../start-offsets.ts'
import type { GroupConsumerOptions } from './group-options.ts'
import type { Membership } from './membership.ts'

/**
 * Puts a consumer, whose partitions are paused, where its membership begins, and lets it read. Every partition is sought,
 * also where kafkajs would begin by itself: a seek left over from an earlier membership would win.
 */
export async function seekToStart(
  connection: KafkaConnection,
  consumer: Consumer,
  options: GroupConsumerOptions,
  membership: Membership,
): Promise<void> {
  const { groupId, topic, log, onAssigned } = options
  if (membership.partitions.length === 0) return
  const wanted = await onAssigned?.(membership.partitions)
  const positions = await withAdmin(
    connection,
    { doing: `reading where ${groupId} stands`, signal: membership.signal },
    (admin) => readGroupPositions(admin, { groupId, topic }),
  ).catch((error: unknown) => {
    if (!membership.signal.aborted) throw error
  })
  if (positions === undefined || membership.signal.aborted) return
  for (const { partition, ...position } of positions) {
    if (!membership.partitions.includes(partition)) continue
    const { offset, outside } = startOf({ ...position, wanted: wanted?.get(partition) })
    membership.positions.set(partition, offset)
    const note = offset === position.committed ? position.note : ''
    membership.starts.set(partition, { nextOffset: offset, note })
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
  consumer.resume([{ topic, partitions: [...membership.partitions] }])
}
