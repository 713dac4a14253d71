import { type ErrorCode, type FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'
import type { Breaker } from '@freshet/stage/breaker.ts'
import { type Deadline, RESERVE_MS, whenLate } from '../server/deadline.ts'
import type { LoopWatch } from '../server/loop-watch.ts'
import type { Reason } from './reasons.ts'
import { SharedReads } from './shared-reads.ts'

/** What a store says of a key. */
export type Said =
  | { readonly kind: 'has'; readonly score: StoredScore }
  | { readonly kind: 'has nothing' }
  | { readonly kind: 'was not heard'; readonly reason: Reason }

/** The cache as this rung needs it: RedisScoreReader, or a test's. */
export interface CacheReader {
  readonly ready: boolean
  get(key: string): Promise<StoredScore | undefined>
}

/** Beyond it memory answers: each that still waits costs about 30 µs when its reply comes, and all come at once. */
const MAX_WAITS = 500
/** A timer this late was held up by our own loop: no fault of the cache. */
const HELD_UP_MS = 10

/** Asks the cache, but never longer than its budget, nor when there is no hope. */
export class CacheRung {
  readonly #reader: CacheReader
  readonly #reads: SharedReads
  readonly #budgetMs: number
  readonly #breaker: Breaker
  readonly #loop: Pick<LoopWatch, 'isBehind'>
  #waits = 0

  constructor(
    reader: CacheReader,
    options: { budgetMs: number; breaker: Breaker; loop: Pick<LoopWatch, 'isBehind'> },
  ) {
    this.#reader = reader
    this.#reads = new SharedReads((key) => reader.get(key))
    this.#budgetMs = options.budgetMs
    this.#breaker = options.breaker
    this.#loop = options.loop
  }

  /** Answers at once, without promise or timer, whenever it is clear that the cache will not. */
  ask(key: string, deadline: Deadline): Said | Promise<Said> {
    const nowMs = performance.now()
    const waitMs = Math.min(this.#budgetMs, deadline.endsAtMs - RESERVE_MS - nowMs)
    if (!this.#reader.ready) return unheard('cache_unreachable')
    if (this.#waits >= MAX_WAITS || this.#loop.isBehind(nowMs)) return unheard('overloaded')
    if (waitMs < 1) return unheard('deadline')
    if (!this.#breaker.admits(nowMs)) return unheard('cache_cut_off')
    return this.#wait(key, nowMs, waitMs)
  }

  #wait(key: string, askedAtMs: number, waitMs: number): Promise<Said> {
    this.#waits++
    return new Promise((resolve) => {
      let isOver = false
      const { reply, joined } = this.#reads.get(key, askedAtMs)
      const settle = (said: Said) => {
        isOver = true
        this.#waits--
        resolve(said)
      }
      const timer = whenLate(waitMs, () => {
        if (isOver) return
        this.#judgeLate(askedAtMs, waitMs, joined)
        settle(unheard('cache_late'))
      })
      reply.then(
        (score) => {
          if (isOver) return
          clearTimeout(timer)
          this.#breaker.succeeded()
          settle(score === undefined ? NOTHING : { kind: 'has', score })
        },
        (error: FreshetError) => {
          if (isOver) return
          clearTimeout(timer)
          settle(this.#judgeError(error))
        },
      )
    })
  }

  /** A wait that the caller cut short, that another began, or that our own loop drew out, says nothing about the cache. */
  #judgeLate(askedAtMs: number, waitMs: number, joined: boolean): void {
    const nowMs = performance.now()
    if (joined || waitMs < this.#budgetMs || nowMs - askedAtMs > waitMs + HELD_UP_MS)
      this.#breaker.undecided()
    else this.#breaker.missed(nowMs)
  }

  #judgeError(error: FreshetError): Said {
    if (UNREADABLE.has(error.code) || error.code === 'REDIS_FILLING') {
      this.#breaker.succeeded()
      return unheard(error.code === 'REDIS_FILLING' ? 'cache_filling' : 'cache_unreadable')
    }
    this.#breaker.missed(performance.now())
    return unheard(isFreshetError(error, 'REDIS_UNREACHABLE') ? 'cache_unreachable' : 'cache_refused')
  }
}

/** What is wrong with one value says nothing about the cache. */
const UNREADABLE = new Set<ErrorCode>(['RECORD_VERSION', 'RECORD_MALFORMED', 'REDIS_WRONG_TYPE'])

const NOTHING: Said = { kind: 'has nothing' }

export function unheard(reason: Reason): Said {
  return { kind: 'was not heard', reason }
}
