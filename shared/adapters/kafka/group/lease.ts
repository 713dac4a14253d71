import type { Clock } from '@freshet/stage/clock.ts'
import type { Membership, NotedOffset } from './membership.ts'
import type { WorkInHand } from './stall-watch.ts'

/** The right to work on a partition, for as long as the group leaves it to us. */
export interface Lease {
  /** Before each effect. @throws KAFKA_STALE when this generation may no longer write */
  check(): void
  /** A sign of progress, at least every `stallMs`; membership itself is kept up without it. @throws KAFKA_STALE */
  heartbeat(): Promise<void>
  /**
   * All before `nextOffset` is done. Written at most once a second, and when the partitions are taken back or the run
   * ends. @throws KAFKA_STALE
   * @param note kept by the group beside the offset: the next owner finds it in `start`
   */
  commit(nextOffset: number, note?: string): Promise<void>
  /** Where reading began when the partition was given to us; the same object for the whole membership. */
  readonly start: NotedOffset
  /**
   * No more of the partition is read once this batch is over, until the function that is returned is called or the
   * membership ends; then reading goes on at `nextOffset`. @throws KAFKA_STALE
   */
  rest(nextOffset: number): () => void
  /** Aborts when the lease ends. */
  readonly signal: AbortSignal
}

/** How the reading of a partition is held up, and goes on. */
export interface Valve {
  pause(): void
  resume(): void
}

export function grantLease(
  partition: number,
  membership: Membership,
  { work, clock, valve }: { work: WorkInHand; clock: Clock; valve: Valve },
): Lease {
  const progress = () => {
    membership.check()
    work.lastSignMs = clock.nowMs()
  }
  return {
    signal: membership.signal,
    check: () => membership.check(),
    async heartbeat() {
      progress()
      await membership.beat()
      membership.check()
    },
    async commit(nextOffset, note = '') {
      progress()
      membership.finish(partition, { nextOffset, note })
    },
    start: membership.starts.get(partition) ?? { nextOffset: 0, note: '' },
    rest(nextOffset) {
      progress()
      membership.rests.set(partition, nextOffset)
      valve.pause()
      return () => {
        if (!membership.signal.aborted) valve.resume()
      }
    },
  }
}
