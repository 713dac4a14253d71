import { setTimeout as sleep } from 'node:timers/promises'
import { type KafkaConnection, withAdmin } from '@freshet/adapters/kafka/connect.ts'
import { topicName } from '@freshet/records/topics.ts'

const LOOK_EVERY_MS = 500

/** How many changes `.changes` has been given. */
async function countChanges(
  connection: KafkaConnection,
  pipeline: string,
  signal: AbortSignal,
): Promise<number> {
  const offsets = await withAdmin(connection, { doing: 'counting changes', signal }, (admin) =>
    admin.fetchTopicOffsets(topicName(pipeline, 'changes')),
  )
  return offsets.reduce((sum, { high }) => sum + Number(high), 0)
}

/** @param onLook is told, at each look, how many there are. */
export async function untilCaptured(
  connection: KafkaConnection,
  pipeline: string,
  {
    changes,
    onLook = () => {},
    signal,
  }: { changes: number; onLook?: (changes: number) => void; signal: AbortSignal },
): Promise<void> {
  for (;;) {
    const captured = await countChanges(connection, pipeline, signal)
    onLook(captured)
    if (captured >= changes) return
    await sleep(LOOK_EVERY_MS, undefined, { signal })
  }
}
