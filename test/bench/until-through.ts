import { setTimeout as sleep } from 'node:timers/promises'
import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { readLag } from '@freshet/adapters/kafka/lag.ts'
import { consumerGroups } from '@freshet/records/topics.ts'

const LOOK_EVERY_MS = 250

/** Resolves when so many changes were captured, and no group is behind: all are scored, in Redis, and in the snapshot. */
export async function untilThrough(
  connection: KafkaConnection,
  pipeline: string,
  { changes, onLook = () => {}, signal }: { changes: number; onLook?: () => void; signal: AbortSignal },
): Promise<void> {
  for (;;) {
    const groups = await Promise.all(
      consumerGroups(pipeline).map((group) => readLag(connection, group, signal)),
    )
    onLook()
    const captured = sum(groups[0]!.map(({ endOffset }) => endOffset))
    const waiting = sum(groups.flat().map(({ lagRecords }) => lagRecords))
    if (captured >= changes && waiting === 0) return
    await sleep(LOOK_EVERY_MS, undefined, { signal })
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
