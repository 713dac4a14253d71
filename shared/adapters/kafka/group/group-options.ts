import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import type { Batch } from '../batch.ts'
import type { Lease } from './lease.ts'
import type { TriedCommit } from './membership.ts'

export type Handle = (batch: Batch, lease: Lease) => Promise<void>

/** Where reading goes on, and the offset that the next message of the log will get. */
export interface RestartedLog {
  readonly offset: number
  readonly high: number
}

export interface GroupConsumerOptions {
  readonly groupId: string
  readonly topic: string
  /** A handler that is silent for so long is given up, and the consumer built anew. More than the longest chunk takes. */
  readonly stallMs: number
  readonly maxWaitMs?: number
  /** A broker waits for so much, or for `maxWaitMs`, before it answers: fewer answers where a moment does not matter. Default: 1. */
  readonly minFetchBytes?: number
  /** Of one answer of a broker, which is decoded in one go. A message that is larger comes alone. Default: 4 MiB. */
  readonly maxFetchBytes?: number
  /** Others get the partitions of a member that has been silent for so long. Default: 10 s. */
  readonly sessionTimeoutMs?: number
  /** Partitions worked on at the same time. Default: 1. */
  readonly concurrency?: number
  readonly log: Log
  readonly clock: Clock
  /** At the begin of each membership, before its first batch. @returns offsets to start from, over the committed ones */
  readonly onAssigned?: (partitions: readonly number[]) => Promise<ReadonlyMap<number, number>>
  /**
   * A membership begins elsewhere than it was to, since the log does not hold that any more: retention has taken it, or
   * the topic was made anew. Whoever keeps what it has read compares with `log.high`: what lies above it is of a topic
   * that is gone.
   */
  readonly onOutside?: (partition: number, log: RestartedLog) => void
  /** Told of each commit that was tried: once a second at most, and when a membership ends. */
  readonly onCommit?: (commit: TriedCommit) => void
  /** At the end of each membership: leases on these partitions are over. */
  readonly onRevoked?: (partitions: readonly number[]) => void
}
