import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import type { Filling, FillMark } from '@freshet/adapters/redis/fill-mark.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { ScoreStore } from '@freshet/ports/score-store.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { type RefillProgress, refill } from './refill.ts'

export interface FillDeps {
  readonly connection: KafkaConnection
  readonly store: ObjectStore
  readonly cache: ScoreStore & { readonly mark: FillMark }
  readonly clock: Clock
}

export interface FillTask {
  readonly pipeline: string
  /** Scores older than this are left out; 0: none is. */
  readonly ttlSeconds: number
  /** Brings all anew, also to a cache that says how much of it it has kept. */
  readonly anew: boolean
  /** Under whose name the others see it. */
  readonly owner: string
  readonly onProgress: (progress: RefillProgress) => void
}

/** Pause between two looks whether Redis still has what was written. */
const LOOK_MS = 1_000

/**
 * Refills the cache and marks it as whole. One that loses data meanwhile is given up at once.
 * @throws REDIS_LOST_DATA, and what the refill throws
 */
export async function fillCache(
  deps: FillDeps,
  task: FillTask,
  signal: AbortSignal,
): Promise<RefillProgress> {
  const { connection, store, cache, clock } = deps
  const filling = await cache.mark.begin()
  const over = new AbortController()
  const lost = new AbortController()
  const watching = watch(deps, { filling, owner: task.owner, onLost: () => lost.abort() }, over.signal)
  try {
    const progress = await refill(
      { ...task, connection, store, cache, clock, heldTo: task.anew ? null : filling.heldTo },
      AbortSignal.any([signal, lost.signal]),
    )
    await cache.mark.confirm(filling)
    return progress
  } catch (error) {
    if (!lost.signal.aborted) throw error
    throw new FreshetError('REDIS_LOST_DATA', 'Redis lost data while it was refilled', { cause: error })
  } finally {
    over.abort()
    await watching
  }
}

/** A Redis that cannot be asked now may still have all: the writes find that out. */
async function watch(
  { cache: { mark }, clock }: FillDeps,
  { filling, owner, onLost }: { filling: Filling; owner: string; onLost: () => void },
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await clock.sleep(LOOK_MS, signal)
    if (signal.aborted) return
    await mark.claim(owner).catch(() => {}) // only saves others the same work; a Redis that is away is met by the refill itself
    if (!(await mark.holds(filling).catch(() => true))) onLost()
  }
}
