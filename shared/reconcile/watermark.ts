/**
 * Does the snapshot hold everything that was emitted before a moment? Where `.changes` ended at that moment is scored
 * once the infer group has committed it; every score of it then stands before the present end of `.scores`; and that is
 * in the snapshot once the manifest's offsets have passed it, and in the cache once its group has committed it.
 */
import { type KafkaConnection, withAdmin } from '@freshet/adapters/kafka/connect.ts'
import { type GroupPosition, readGroupPositions } from '@freshet/adapters/kafka/group-positions.ts'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { Manifest } from '@freshet/records/manifest.ts'
import { consumerGroups, type Worker } from '@freshet/records/topics.ts'
import { readManifest } from '@freshet/snapshot/manifest.ts'
import type { Clock } from '@freshet/stage/clock.ts'

export interface WatermarkWorld {
  readonly connection: KafkaConnection
  readonly pipeline: string
  readonly store: ObjectStore
  /** The cache must hold it too. */
  readonly withCache?: boolean
}

export type WatermarkProgress =
  /** Changes before the moment that are not scored, as offsets: compaction may have taken some of them away. */
  | { readonly kind: 'scoring'; readonly changesLeft: number }
  /** Messages of `.scores` that are not in the snapshot. */
  | { readonly kind: 'storing'; readonly batchesLeft: number }
  /** Messages of `.scores` that are in the snapshot and not in the cache. */
  | { readonly kind: 'caching'; readonly batchesLeft: number }
  /** The manifest holds all of it; null when nothing was ever emitted. */
  | { readonly kind: 'reached'; readonly manifest: Manifest | null }

/** The moment of `Watermark.now`. */
export class Watermark {
  readonly #world: WatermarkWorld
  readonly #changes: Ends
  #scores: Ends | undefined

  private constructor(world: WatermarkWorld, changes: Ends) {
    this.#world = world
    this.#changes = changes
  }

  /** Whatever Kafka has acknowledged by now is before it. @throws KAFKA_UNREACHABLE, TOPIC_MISSING, DEADLINE */
  static async now(world: WatermarkWorld, signal: AbortSignal): Promise<Watermark> {
    return new Watermark(world, endsOf(await positionsOf(world, 'infer', signal)))
  }

  /** One look, without waiting. @throws KAFKA_UNREACHABLE, S3_UNREACHABLE, DEADLINE when `signal` aborts */
  async look(signal: AbortSignal): Promise<WatermarkProgress> {
    if (this.#scores === undefined) {
      const scored = await positionsOf(this.#world, 'infer', signal)
      const changesLeft = leftOf(this.#changes, scored, ({ committed }) => committed ?? 0)
      if (changesLeft > 0) return { kind: 'scoring', changesLeft }
    }
    const batches = await positionsOf(this.#world, 'snapshot', signal)
    this.#scores ??= endsOf(batches)
    const { store, pipeline } = this.#world
    const manifest = (await readManifest(store, pipeline, signal))?.manifest ?? null
    const batchesLeft = leftOf(
      this.#scores,
      batches,
      ({ partition }) => manifest?.partitions[partition]?.nextOffset ?? 0,
    )
    if (batchesLeft > 0) return { kind: 'storing', batchesLeft }
    const uncached = this.#world.withCache ? await this.#uncached(this.#scores, signal) : 0
    return uncached > 0 ? { kind: 'caching', batchesLeft: uncached } : { kind: 'reached', manifest }
  }

  async #uncached(scores: Ends, signal: AbortSignal): Promise<number> {
    const cached = await positionsOf(this.#world, 'cache', signal)
    return leftOf(scores, cached, ({ committed }) => committed ?? 0)
  }

  /**
   * Looks again and again until the snapshot has reached it, also when a look fails with what a retry can help.
   * @returns a manifest that holds everything; null when nothing was ever emitted
   * @throws DEADLINE saying what is left, when `deadlineMs` are over or `signal` aborts
   */
  async wait(options: {
    readonly deadlineMs: number
    readonly everyMs: number
    readonly clock: Clock
    readonly signal: AbortSignal
    readonly onProgress?: (progress: WatermarkProgress) => void
  }): Promise<Manifest | null> {
    const { deadlineMs, everyMs, clock, signal, onProgress } = options
    const giveUpAtMs = clock.nowMs() + deadlineMs
    for (;;) {
      const progress = await this.look(signal).catch(retryable)
      const isLate = signal.aborted || clock.nowMs() + everyMs > giveUpAtMs
      if (isFreshetError(progress)) {
        if (isLate) throw progress
      } else {
        onProgress?.(progress)
        if (progress.kind === 'reached') return progress.manifest
        if (isLate) throw new FreshetError('DEADLINE', `not everything is stored: ${describeLeft(progress)}`)
      }
      await clock.sleep(everyMs, signal)
    }
  }
}

/** By partition: the offset of the next message. */
type Ends = ReadonlyMap<number, number>

function endsOf(positions: readonly GroupPosition[]): Ends {
  return new Map(positions.map(({ partition, high }) => [partition, high]))
}

/** What the log no longer has, nobody waits for. */
function leftOf(
  ends: Ends,
  positions: readonly GroupPosition[],
  nextOf: (at: GroupPosition) => number,
): number {
  return positions.reduce(
    (sum, at) => sum + Math.max(0, (ends.get(at.partition) ?? 0) - Math.max(at.low, nextOf(at))),
    0,
  )
}

async function positionsOf(
  { connection, pipeline }: WatermarkWorld,
  worker: Worker,
  signal: AbortSignal,
): Promise<GroupPosition[]> {
  const { groupId, topic } = consumerGroups(pipeline).find((group) => group.worker === worker)!
  const doing = `reading the position of ${groupId}`
  return await withAdmin(connection, { doing, signal }, (admin) =>
    readGroupPositions(admin, { groupId, topic }),
  )
}

function retryable(error: unknown): FreshetError {
  if (isFreshetError(error) && error.retryable) return error
  throw error
}

/** In a few words. */
export function describeLeft(progress: Exclude<WatermarkProgress, { kind: 'reached' }>): string {
  switch (progress.kind) {
    case 'scoring':
      return `${progress.changesLeft} changes are not scored`
    case 'storing':
      return `${progress.batchesLeft} batches of scores are not in the snapshot`
    case 'caching':
      return `${progress.batchesLeft} batches of scores are not in Redis`
  }
}
