import type { Deadline } from '../server/deadline.ts'
import type { CacheRung } from './cache-rung.ts'
import type { Said } from './said.ts'
import { askSnapshot, type SnapshotRung } from './snapshot-rung.ts'
import { answerFrom, type LadderRules, type Outcome } from './stored-score-to-answer.ts'

/** Answers for a key within its deadline: of cache and snapshot the higher rank, else the default. */
export class Ladder {
  readonly #cache: Pick<CacheRung, 'ask'>
  readonly #snapshot: SnapshotRung
  readonly #rules: LadderRules

  constructor(cache: Pick<CacheRung, 'ask'>, snapshot: SnapshotRung, rules: LadderRules) {
    this.#cache = cache
    this.#snapshot = snapshot
    this.#rules = rules
  }

  get rules(): LadderRules {
    return this.#rules
  }

  /** At once when the cache need not be waited for. */
  lookUp(key: string, deadline: Deadline): Outcome | Promise<Outcome> {
    const cache = this.#cache.ask(key, deadline)
    return cache instanceof Promise
      ? cache.then((said) => this.#decide(key, said, deadline))
      : this.#decide(key, cache, deadline)
  }

  #decide(key: string, cache: Said, deadline: Deadline): Outcome | Promise<Outcome> {
    if (cache.kind === 'has') return this.#answer(key, cache, undefined)
    const fellBackAtMs = performance.now()
    const far = this.#snapshot.ask?.(key, deadline)
    return far === undefined
      ? this.#answer(key, cache, fellBackAtMs)
      : far.then((snapshot) => this.#answer(key, cache, fellBackAtMs, snapshot))
  }

  /** @param snapshot what it says; without, its memory is asked */
  #answer(
    key: string,
    cache: Said,
    fellBackAtMs: number | undefined,
    snapshot: Said = askSnapshot(this.#snapshot, key),
  ): Outcome {
    const outcome = answerFrom(key, { cache, snapshot }, this.#rules, Date.now())
    if (fellBackAtMs !== undefined && outcome.kind === 'answer') outcome.fellBackAtMs = fellBackAtMs
    return outcome
  }
}
