import type { Client } from '@elastic/elasticsearch'
import { readShards, type ShardsView } from '@freshet/adapters/elasticsearch/shards.ts'
import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { lookSignal } from '@freshet/reconcile/verify-waits.ts'
import { describeLeft, Watermark } from '@freshet/reconcile/watermark.ts'
import type { Cursor } from '@freshet/records/cursor.ts'
import { progressOf } from '@freshet/scorer/rescore/plan.ts'
import { readPlan } from '@freshet/scorer/rescore/read-plan.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { listed } from '@freshet/stage/listed.ts'
import { asSeen, type Goal, type Left, leftOf, type Rules } from './targets.ts'

const LOOK_EVERY_MS = 250
/** While deletes are looked for, what was captured must get into the snapshot, but not in a delta every moment. */
const RING_EVERY_MS = 1_000

export interface CatchUpWorld {
  readonly settings: Settings
  readonly rules: Rules
  readonly client: Client
  readonly connection: KafkaConnection
  readonly store: ObjectStore
  /** Of Redis: whether it is known to hold all scores. */
  readonly isFilled: () => Promise<boolean>
  /** Of the promoted model. */
  readonly generation: number
  readonly clock: Clock
}

export interface CatchUpOptions {
  readonly goal: Goal
  /** As they are now, by `indexUuid/shard`. @throws RECORD_VERSION */
  readonly cursors: () => ReadonlyMap<string, Cursor>
  readonly untilMs: number
  /** Asks for a snapshot. */
  readonly ring: () => void
  /** What is waited for; told often. */
  readonly onWait: (left: string) => void
  /** Something that is left without anybody's fault. */
  readonly onNote: (note: string) => void
}

/**
 * Waits, while the services work, until everything that was there at the start is captured, its deletes are found, and all
 * of it is scored and stored; then until no score of an older model is left, as long as there is time.
 */
export class CatchUp {
  readonly #world: CatchUpWorld
  readonly #options: CatchUpOptions
  #goal: Goal
  #rangAtMs = 0

  constructor(world: CatchUpWorld, options: CatchUpOptions) {
    this.#world = world
    this.#options = options
    this.#goal = options.goal
  }

  /** @throws DEADLINE with what is left; what a retry cannot help; the reason of `signal` when it aborts */
  async run(signal: AbortSignal): Promise<void> {
    await this.#until((looking) => this.#untilCaptured(looking), signal)
    await this.#until((looking) => this.#untilSwept(looking), signal)
    await this.#untilStored(signal)
    await this.#until(async () => ((await this.#world.isFilled()) ? null : 'Redis is being refilled'), signal)
    await this.#untilRescored(signal)
  }

  /** Whatever is emitted by now. */
  async #untilStored(signal: AbortSignal): Promise<void> {
    let mark: Watermark | undefined
    await this.#until(async (looking) => {
      mark ??= await Watermark.now(watermarkWorld(this.#world), looking)
      const progress = await mark.look(looking)
      if (progress.kind === 'storing') this.#options.ring()
      return progress.kind === 'reached' ? null : describeLeft(progress)
    }, signal)
  }

  /** A score by an older model is a score: when the time is over, the next run goes on with it. */
  async #untilRescored(signal: AbortSignal): Promise<void> {
    let left = await changesToRescore(this.#world, signal)
    if (left === 0) return
    try {
      await this.#until(async (looking) => {
        left = await changesToRescore(this.#world, looking)
        return left === 0 ? null : `${left} changes are to be scored again with the promoted model`
      }, signal)
      await this.#untilStored(signal)
    } catch (error) {
      if (!isFreshetError(error, 'DEADLINE')) throw error
      this.#options.onNote(`scores by an older model are left: ${error.message}; the next run goes on`)
    }
  }

  async #untilCaptured(signal: AbortSignal): Promise<string | null> {
    const { operations, uncaptured, unread } = (await this.#look(signal)).left
    if (unread.length > 0) return `${listed(unread)} cannot be read`
    return uncaptured.length === 0 ? null : `${operations} changes of ${listed(uncaptured)} are not captured`
  }

  /** A sweep waits for the snapshot to hold what it compares with. */
  async #untilSwept(signal: AbortSignal): Promise<string | null> {
    const { left, view } = await this.#look(signal)
    const gone = goneToWaitFor(view, this.#options.cursors(), this.#world.settings)
    if (left.unswept.length === 0 && gone.length === 0) return null
    const nowMs = this.#world.clock.nowMs()
    if (nowMs - this.#rangAtMs >= RING_EVERY_MS) {
      this.#rangAtMs = nowMs
      this.#options.ring()
    }
    return `deletes are looked for in ${listed([...left.unswept, ...gone])}`
  }

  async #look(signal: AbortSignal): Promise<{ left: Left; view: ShardsView }> {
    const { client, settings, rules } = this.#world
    const view = await readShards(client, settings.elasticsearch.index, signal)
    this.#goal = asSeen(this.#goal, view, rules)
    return { left: leftOf(this.#goal, this.#options.cursors(), rules), view }
  }

  /** @param look answers what is left, null when nothing is */
  async #until(look: (signal: AbortSignal) => Promise<string | null>, signal: AbortSignal): Promise<void> {
    const { clock } = this.#world
    const { untilMs, onWait } = this.#options
    for (let left: string | null = 'nothing could be looked at'; ; ) {
      try {
        left = await look(lookSignal(untilMs - clock.nowMs(), signal))
      } catch (error) {
        if (signal.aborted) throw signal.reason
        if (!isFreshetError(error) || !error.retryable) throw error
        left = error.message
      }
      if (left === null) return
      onWait(left)
      if (clock.nowMs() + LOOK_EVERY_MS > untilMs)
        throw new FreshetError('DEADLINE', `${left} by the deadline; the next run goes on from here`)
      await clock.sleep(LOOK_EVERY_MS, signal)
      if (signal.aborted) throw signal.reason
    }
  }
}

/** As offsets: compaction may have taken some of them away. */
export async function changesToRescore(
  { connection, settings, generation }: CatchUpWorld,
  signal: AbortSignal,
): Promise<number> {
  return progressOf(await readPlan(connection, settings.pipeline, generation, signal)).left
}

export function watermarkWorld({ connection, store, settings: { pipeline } }: CatchUpWorld) {
  return { connection, store, pipeline, withCache: true }
}

/** Longer than this, one run does not wait for an index to be certainly gone. */
const MAX_GRACE_SECONDS = 60

/** Indices that are gone, whose scores this run is to delete. */
export function goneToWaitFor(
  view: ShardsView,
  cursors: ReadonlyMap<string, Cursor>,
  { elasticsearch }: Settings,
): string[] {
  return elasticsearch.goneGraceSeconds <= MAX_GRACE_SECONDS ? goneIndices(view, cursors) : []
}

/** Only the cluster that a cursor is from can tell that its index is gone. */
export function goneIndices(
  { indexUuids, clusterUuid }: ShardsView,
  cursors: ReadonlyMap<string, Cursor>,
): string[] {
  const gone = [...cursors.values()].filter(
    (cursor) => ['', clusterUuid].includes(cursor.clusterUuid) && !indexUuids.has(cursor.identity.indexUuid),
  )
  return [...new Set(gone.map(({ index }) => index))]
}
