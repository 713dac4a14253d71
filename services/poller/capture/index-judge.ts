import type { JudgedIndex } from '@freshet/adapters/elasticsearch/judge-indices.ts'
import type { ShardsView } from '@freshet/adapters/elasticsearch/shards.ts'
import type { Clock } from '@freshet/stage/clock.ts'

/**
 * Judges each index once, when it appears: also one that comes to a pattern while capture runs. Until then it is not
 * captured, since a document without its `_source` would look like a delete.
 */
export class IndexJudge {
  readonly #judge: () => Promise<readonly JudgedIndex[]>
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #capturable = new Set<string>()
  /** By index uuid. */
  readonly #refused = new Map<string, string>()
  #notBeforeMs = 0

  /** @param judge judges all indices that are there now */
  constructor(judge: () => Promise<readonly JudgedIndex[]>, clock: Pick<Clock, 'nowMs'>) {
    this.#judge = judge
    this.#clock = clock
  }

  /** Judges what is new in the view; what a block hides is looked at again after a while. @throws as `judge` */
  async look({ indexUuids }: ShardsView): Promise<void> {
    this.#forget(indexUuids)
    const isNew = [...indexUuids].some((uuid) => !this.#capturable.has(uuid) && !this.#refused.has(uuid))
    if (!isNew || this.#clock.nowMs() < this.#notBeforeMs) return
    this.#notBeforeMs = this.#clock.nowMs() + AGAIN_AFTER_MS
    const judged = await this.#judge()
    for (const { description, verdict, reason } of judged) {
      if (description === null) continue
      if (verdict === 'refused') this.#refused.set(description.uuid, reason ?? 'refused')
      else this.#capturable.add(description.uuid)
    }
    if ([...indexUuids].every((uuid) => this.#capturable.has(uuid) || this.#refused.has(uuid)))
      this.#notBeforeMs = 0
  }

  isCapturable(indexUuid: string): boolean {
    return this.#capturable.has(indexUuid)
  }

  /** Why, of each index that cannot be captured. */
  refusals(): readonly string[] {
    return [...this.#refused.values()]
  }

  #forget(indexUuids: ReadonlySet<string>): void {
    for (const uuid of this.#capturable) if (!indexUuids.has(uuid)) this.#capturable.delete(uuid)
    for (const uuid of this.#refused.keys()) if (!indexUuids.has(uuid)) this.#refused.delete(uuid)
  }
}

const AGAIN_AFTER_MS = 10_000
