import type { StoredScore } from '@freshet/records/stored-score.ts'
import type { Deadline } from '../server/deadline.ts'
import { type CacheRung, type Said, unheard } from './cache-rung.ts'
import { answerFrom, type LadderRules, type Outcome } from './stored-score-to-answer.ts'

/** The snapshot as the ladder needs it: SnapshotTable behind its follower, or a test's. */
export interface SnapshotRung {
  /** False until a whole snapshot is loaded; what is loaded so far is used all the same. */
  readonly ready: boolean
  /** From memory: about a microsecond; never waits. */
  get(key: string): StoredScore | undefined
  /**
   * Where memory does not hold the whole snapshot: the highest rank of what memory and S3 hold, by range reads. Ends
   * within the deadline and never rejects. Undefined: memory holds all, `get` has said everything. It costs requests, so it
   * is asked only for keys that the cache had nothing of, or was not heard on.
   */
  ask?(key: string, deadline: Deadline): Promise<Said> | undefined
}

/** Answers for a key within its deadline: cache, else snapshot, else the default. */
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
    const decide = (snapshot: Said) =>
      answerFrom(key, { cache, snapshot }, { ...this.#rules, nowMs: Date.now() })
    const far = cache.kind === 'has' ? undefined : this.#snapshot.ask?.(key, deadline)
    return far === undefined ? decide(this.#askSnapshot(key)) : far.then(decide)
  }

  #askSnapshot(key: string): Said {
    const score = this.#snapshot.get(key)
    if (score !== undefined) return { kind: 'has', score }
    return this.#snapshot.ready ? { kind: 'has nothing' } : unheard('snapshot_loading')
  }
}
