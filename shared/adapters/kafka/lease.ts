import type { Clock } from '@freshet/stage/clock.ts'
import type { WorkInHand } from './stall-watch.ts'
import type { Term } from './term.ts'

/** The right to work on a partition, for as long as the group leaves it to us. */
export interface Lease {
  /** Before each effect. @throws KAFKA_STALE when this generation may no longer write */
  check(): void
  /** A sign of progress, at least every `stallMs`; membership itself is kept up without it. @throws KAFKA_STALE */
  heartbeat(): Promise<void>
  /**
   * All before `nextOffset` is done. Written at most once a second, and when the partitions are taken back or the run
   * ends. @throws KAFKA_STALE
   */
  commit(nextOffset: number): Promise<void>
  /** Aborts when the lease ends. */
  readonly signal: AbortSignal
}

export function grantLease(partition: number, term: Term, work: WorkInHand, clock: Clock): Lease {
  const progress = () => {
    term.check()
    work.lastSignMs = clock.nowMs()
  }
  return {
    signal: term.signal,
    check: () => term.check(),
    async heartbeat() {
      progress()
      await term.beat()
      term.check()
    },
    async commit(nextOffset) {
      progress()
      term.finish(partition, nextOffset)
    },
  }
}
