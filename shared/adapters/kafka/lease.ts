import type { Clock } from '@freshet/stage/clock.ts'
import type { WorkInHand } from './stall-watch.ts'
import type { Finished, Term } from './term.ts'

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
  /** Where reading began when the partition was given to us; the same object for the whole term. */
  readonly start: Finished
  /**
   * No more of the partition is read once this batch is over, until the function that is returned is called or the
   * term ends; then reading goes on at `nextOffset`. @throws KAFKA_STALE
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
  term: Term,
  { work, clock, valve }: { work: WorkInHand; clock: Clock; valve: Valve },
): Lease {
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
    async commit(nextOffset, note = '') {
      progress()
      term.finish(partition, { nextOffset, note })
    },
    start: term.starts.get(partition) ?? { nextOffset: 0, note: '' },
    rest(nextOffset) {
      progress()
      term.rests.set(partition, nextOffset)
      valve.pause()
      return () => {
        if (!term.signal.aborted) valve.resume()
      }
    },
  }
}
