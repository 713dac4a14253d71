import type { ShardsView } from '@freshet/adapters/elasticsearch/shards.ts'
import type { Clock } from '@freshet/stage/clock.ts'

/** The two questions that can be asked. */
export interface Looks {
  /** All that is to be known of the shards: two requests. */
  readonly whole: () => Promise<ShardsView>
  /** The same bytes at two moments: nothing has moved between them. One small request. */
  readonly cheap: () => Promise<Buffer>
}

/**
 * Looks at the shards no more closely than it must: while nothing moves, a poll costs one small request. What the cheap
 * look does not show (a closed index that is deleted, a shard that is found again) is seen by a whole one within seconds.
 */
export class ShardWatch {
  readonly #looks: Looks
  readonly #clock: Pick<Clock, 'nowMs'>
  /** What the cheap look showed before the last whole one. */
  #before: Buffer | undefined
  #wholeAtMs = Number.NEGATIVE_INFINITY
  #mustBeWhole = true
  #checkpoints = 0

  constructor(looks: Looks, clock: Pick<Clock, 'nowMs'>) {
    this.#looks = looks
    this.#clock = clock
  }

  /**
   * @param isWholeWanted somebody waits for what only a whole look can tell
   * @returns undefined when nothing has moved since the last view
   * @throws as the looks do; the next one is whole
   */
  async look(isWholeWanted: boolean): Promise<ShardsView | undefined> {
    const isOld = this.#clock.nowMs() - this.#wholeAtMs >= WHOLE_EVERY_MS
    if (!isWholeWanted && !this.#mustBeWhole && !isOld && (await this.#standsStill())) return undefined
    this.#mustBeWhole = true
    const view = await this.#looks.whole()
    this.#wholeAtMs = this.#clock.nowMs()
    this.#mustBeWhole = this.#hasMoved(view) || view.unreadable.length > 0
    return view
  }

  /** A cheap look that fails is no answer: the whole one tells what is wrong. */
  async #standsStill(): Promise<boolean> {
    const now = await this.#looks.cheap().catch(() => undefined)
    const standsStill = now !== undefined && this.#before?.equals(now) === true
    this.#before = now
    return standsStill
  }

  /** Where documents keep coming the next look will not find what it found before: a cheap one is wasted. */
  #hasMoved({ readable }: ShardsView): boolean {
    const sum = readable.reduce((total, { globalCheckpoint }) => total + globalCheckpoint, 0)
    const hasMoved = sum !== this.#checkpoints
    this.#checkpoints = sum
    return hasMoved
  }
}

const WHOLE_EVERY_MS = 5_000
