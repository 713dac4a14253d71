import { setTimeout as sleep } from 'node:timers/promises'
import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { readLag } from '@freshet/adapters/kafka/lag.ts'
import { toFreshetError } from '@freshet/errors/errors.ts'

const LOOK_EVERY_MS = 250

interface Group {
  readonly groupId: string
  readonly topic: string
}

/**
 * Resolves when so many changes were captured, and no group is behind: all are scored, in Redis, and in the snapshot.
 * @param groups the first is one that reads the changes
 */
export async function untilThrough(
  connection: KafkaConnection,
  groups: readonly Group[],
  { changes, onLook = () => {}, signal }: { changes: number; onLook?: () => void; signal: AbortSignal },
): Promise<void> {
  for (;;) {
    const lags = await readLags(connection, groups, signal)
    onLook()
    if (lags !== null) {
      const captured = sum(lags[0]!.map(({ endOffset }) => endOffset))
      const waiting = sum(lags.flat().map(({ lagRecords }) => lagRecords))
      if (captured >= changes && waiting === 0) return
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal })
  }
}

/** null while it cannot be said: a group that has just been made may not have its coordinator yet. */
async function readLags(connection: KafkaConnection, groups: readonly Group[], signal: AbortSignal) {
  try {
    return await Promise.all(groups.map((group) => readLag(connection, group, signal)))
  } catch (error) {
    if (signal.aborted || !toFreshetError(error).retryable) throw error
    return null
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
