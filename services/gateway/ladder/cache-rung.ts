import { type FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'
import type { Deadline } from '../server/deadline.ts'
import { whenLate } from '../server/waits.ts'
import { type Asking, type CacheLimits, judgeLate, mayAskCache } from './may-ask-cache.ts'
import { NOTHING, type Said, UNREADABLE, unheard } from './said.ts'
import { SharedReads } from './shared-reads.ts'

/** The cache as this rung needs it: RedisScoreReader, or a test's. */
export interface CacheReader {
  readonly ready: boolean
  get(key: string): Promise<StoredScore | undefined>
}

/** Beyond it memory answers: each that still waits costs about 30 µs when its reply comes, and all come at once. */
const MAX_WAITS = 500

/** Asks the cache, but never longer than its budget, nor when there is no hope. */
export class CacheRung {
  readonly #reader: CacheReader
  readonly #reads: SharedReads
  readonly #limits: CacheLimits
  #waits = 0

  constructor(reader: CacheReader, limits: CacheLimits) {
    this.#reader = reader
    this.#reads = new SharedReads((key) => reader.get(key))
    this.#limits = limits
  }

  /** Answers at once, without promise or timer, whenever it is clear that the cache will not. */
  ask(key: string, deadline: Deadline): Said | Promise<Said> {
    const store = { ready: this.#reader.ready, isFull: this.#waits >= MAX_WAITS }
    const asking = mayAskCache(this.#limits, store, deadline)
    return typeof asking === 'string' ? unheard(asking) : this.#wait(key, asking)
  }

  #wait(key: string, asking: Asking): Promise<Said> {
    const { breaker } = this.#limits
    this.#waits++
    return new Promise((resolve) => {
      let isOver = false
      const { reply, joined } = this.#reads.get(key, asking.askedAtMs)
      const settle = (said: Said) => {
        isOver = true
        this.#waits--
        resolve(said)
      }
      const timer = whenLate(asking.waitMs, () => {
        if (isOver) return
        // A wait that another began says nothing either.
        if (joined) breaker.undecided(asking.ticket)
        else judgeLate(this.#limits, asking)
        settle(unheard('cache_late'))
      })
      reply.then(
        (score) => {
          if (isOver) return
          clearTimeout(timer)
          breaker.succeeded()
          settle(score === undefined ? NOTHING : { kind: 'has', score })
        },
        (error: FreshetError) => {
          if (isOver) return
          clearTimeout(timer)
          settle(this.#judgeError(error, asking))
        },
      )
    })
  }

  #judgeError(error: FreshetError, { ticket }: Asking): Said {
    const { breaker } = this.#limits
    if (UNREADABLE.has(error.code) || error.code === 'REDIS_FILLING') {
      breaker.succeeded()
      return unheard(error.code === 'REDIS_FILLING' ? 'cache_filling' : 'cache_unreadable')
    }
    breaker.missed(ticket, performance.now())
    return unheard(isFreshetError(error, 'REDIS_UNREACHABLE') ? 'cache_unreachable' : 'cache_refused')
  }
}
