import type { Said } from '../ladder/said.ts'
import { askSnapshot, type SnapshotRung } from '../ladder/snapshot-rung.ts'
import { answerFrom, type LadderRules, type Outcome } from '../ladder/stored-score-to-answer.ts'
import type { Deadline } from '../server/deadline.ts'
import type { CacheSlices } from './cache-slices.ts'
import { LoopTurns } from './loop-turns.ts'

/** Of the deadline, what it takes to make and write one answer when all are there (figures: decisions/0019). */
export const ANSWER_MS = 0.01
/** Keys of one request for which S3 is read at the same time. */
const MAX_FAR = 64

/** The ladder for many keys at once: the cache is asked in slices, and the loop turns while the answers are made. */
export class ManyLookups {
  readonly #cache: Pick<CacheSlices, 'ask'>
  readonly #snapshot: SnapshotRung
  readonly #rules: LadderRules

  constructor(cache: Pick<CacheSlices, 'ask'>, snapshot: SnapshotRung, rules: LadderRules) {
    this.#cache = cache
    this.#snapshot = snapshot
    this.#rules = rules
  }

  /**
   * Finds what to say of each key, within the deadline.
   * @param each is told the outcome and the position of its key, in any order.
   */
  async lookUp(
    keys: readonly string[],
    deadline: Deadline,
    each: (outcome: Outcome, at: number) => void,
  ): Promise<void> {
    const asking = { ...deadline, endsAtMs: deadline.endsAtMs - keys.length * ANSWER_MS }
    const heard = await this.#cache.ask(keys, asking)
    const turns = new LoopTurns(asking)
    const nowMs = Date.now()
    const far = new Set<Promise<void>>()
    for (let at = 0; at < keys.length; at++) {
      const key = keys[at]!
      const cache = heard(at)
      const decide = (snapshot: Said) => each(answerFrom(key, { cache, snapshot }, this.#rules, nowMs), at)
      const read = cache.kind === 'has' ? undefined : this.#snapshot.ask?.(key, asking)
      if (read === undefined) decide(askSnapshot(this.#snapshot, key))
      else {
        const decided: Promise<void> = read.then(decide).finally(() => far.delete(decided))
        far.add(decided)
        if (far.size >= MAX_FAR) await Promise.race(far)
      }
      const pause = turns.pause()
      if (pause !== undefined) await pause
    }
    await Promise.all(far)
  }
}
