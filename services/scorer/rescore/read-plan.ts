import { type KafkaConnection, withAdmin } from '@freshet/adapters/kafka/connect.ts'
import { readGroupPositions } from '@freshet/adapters/kafka/group-positions.ts'
import { decodeNote, inferNoteRecord, rescoreNoteRecord } from '@freshet/records/scoring-note.ts'
import { groupName, rescoreGroup, topicName } from '@freshet/records/topics.ts'
import { type PartitionPlan, planOf } from './plan.ts'

/**
 * What is left to be scored again with this generation, by partition.
 * @throws KAFKA_UNREACHABLE, DEADLINE, TOPIC_MISSING; RECORD_VERSION when a newer build keeps notes in the groups
 */
export async function readPlan(
  connection: KafkaConnection,
  pipeline: string,
  generation: number,
  signal: AbortSignal,
): Promise<PartitionPlan[]> {
  const topic = topicName(pipeline, 'changes')
  const doing = `reading what is left of ${topic} to be scored again`
  return await withAdmin(connection, { doing, signal }, async (admin) => {
    // Rescoring before infer: what infer says in between is newer, and asks for more work rather than for less.
    const rescore = await readGroupPositions(admin, { groupId: rescoreGroup(pipeline), topic })
    const infer = await readGroupPositions(admin, { groupId: groupName(pipeline, 'infer'), topic })
    const rescored = new Map(rescore.map((position) => [position.partition, position]))
    return infer.map(({ partition, low, high, committed, note }) => {
      const done = rescored.get(partition)
      return planOf(
        {
          partition,
          low,
          high,
          infer:
            committed === undefined ? null : { offset: committed, note: decodeNote(inferNoteRecord, note) },
          rescore:
            done?.committed === undefined
              ? null
              : { offset: done.committed, note: decodeNote(rescoreNoteRecord, done.note) },
        },
        generation,
      )
    })
  })
}
