import type { ScoreSlice } from '@freshet/adapters/redis/redis-score-reader.ts'
import { type ErrorCode, isFreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { Breaker } from '@freshet/stage/breaker.ts'
import { type Said, unheard } from '../ladder/cache-rung.ts'
import type { Reason } from '../ladder/reasons.ts'
import { type Deadline, RESERVE_MS, whenLate } from '../server/deadline.ts'
import type { LoopWatch } from '../server/loop-watch.ts'

/** The cache as this rung needs it: RedisScoreReader, or a test's. */
export interface SliceReader {
  readonly ready: boolean
  slicesOf(keys: readonly string[]): readonly (readonly number[])[]
  getSlice(keys: readonly string[]): Promise<ScoreSlice>
}

/** What the cache says of each of many keys, by its position; decoded only when asked. */
export type Heard = (at: number) => Said

/** Keys that may be on their way at once, of all requests together; beyond them memory answers. */
const MAX_KEYS_ASKED = 16_000
/** A timer this late was held up by our own loop: no fault of the cache. */
const HELD_UP_MS = 10

/**
 * Asks the cache for many keys side by side, slice by slice, but never longer than its budget: what has not come by then
 * was not heard, and what has come stands. Shares the breaker of the rung that asks for single keys.
 */
export class CacheSlices {
  readonly #reader: SliceReader
  readonly #budgetMs: number
  readonly #breaker: Breaker
  readonly #loop: Pick<LoopWatch, 'isBehind'>
  #keysAsked = 0

  constructor(
    reader: SliceReader,
    options: { budgetMs: number; breaker: Breaker; loop: Pick<LoopWatch, 'isBehind'> },
  ) {
    this.#reader = reader
    this.#budgetMs = options.budgetMs
    this.#breaker = options.breaker
    this.#loop = options.loop
  }

  /** Never rejects. */
  async ask(keys: readonly string[], deadline: Deadline): Promise<Heard> {
    const nowMs = performance.now()
    const waitMs = Math.min(this.#budgetMs, deadline.endsAtMs - RESERVE_MS - nowMs)
    if (!this.#reader.ready) return nothing('cache_unreachable')
    if (this.#keysAsked + keys.length > MAX_KEYS_ASKED || this.#loop.isBehind(nowMs))
      return nothing('overloaded')
    if (waitMs < 1) return nothing('deadline')
    if (!this.#breaker.admits(nowMs)) return nothing('cache_cut_off')
    this.#keysAsked += keys.length
    try {
      return await this.#askSlices(keys, waitMs)
    } finally {
      this.#keysAsked -= keys.length
    }
  }

  async #askSlices(keys: readonly string[], waitMs: number): Promise<Heard> {
    const askedAtMs = performance.now()
    const slices = this.#reader.slicesOf(keys)
    const came: (ScoreSlice | Reason)[] = slices.map(() => 'cache_late')
    let missing = slices.length
    const { promise: over, resolve } = Promise.withResolvers<void>()
    const timer = whenLate(waitMs, resolve)
    slices.forEach((slice, i) => {
      const settle = (reply: ScoreSlice | Reason) => {
        came[i] = reply
        if (--missing === 0) resolve()
      }
      this.#reader.getSlice(slice.map((at) => keys[at]!)).then(settle, (error) => settle(reasonOf(error)))
    })
    await over
    clearTimeout(timer)
    const replies = came.slice() // what comes from now on is nobody's
    this.#judge(replies, askedAtMs, waitMs)
    return heardOf(slices, replies)
  }

  /** As for single keys: a wait that the caller cut short, or our own loop drew out, says nothing about the cache. */
  #judge(replies: readonly (ScoreSlice | Reason)[], askedAtMs: number, waitMs: number): void {
    const nowMs = performance.now()
    const isHeldUp = waitMs < this.#budgetMs || nowMs - askedAtMs > waitMs + HELD_UP_MS
    const fault = replies.find((reply) => typeof reply === 'string')
    if (fault === undefined) this.#breaker.succeeded()
    else if (fault === 'cache_late' && isHeldUp) this.#breaker.undecided()
    else this.#breaker.missed(nowMs)
  }
}

function heardOf(slices: readonly (readonly number[])[], replies: readonly (ScoreSlice | Reason)[]): Heard {
  const places: { readonly slice: number; readonly at: number }[] = []
  slices.forEach((slice, i) => {
    slice.forEach((position, at) => {
      places[position] = { slice: i, at }
    })
  })
  return (position) => {
    const { slice, at } = places[position]!
    const reply = replies[slice]!
    return typeof reply === 'string' ? unheard(reply) : saidBy(reply, at)
  }
}

function saidBy(slice: ScoreSlice, at: number): Said {
  try {
    const score = slice.scoreAt(at)
    if (score === 'filling') return unheard('cache_filling')
    return score === undefined ? { kind: 'has nothing' } : { kind: 'has', score }
  } catch (error) {
    if (UNREADABLE.includes(toFreshetError(error).code)) return unheard('cache_unreadable')
    throw error
  }
}

/** What is wrong with one value says nothing about the cache. */
const UNREADABLE: readonly ErrorCode[] = ['RECORD_VERSION', 'RECORD_MALFORMED']

function nothing(reason: Reason): Heard {
  const said = unheard(reason)
  return () => said
}

function reasonOf(error: unknown): Reason {
  return isFreshetError(error, 'REDIS_UNREACHABLE') ? 'cache_unreachable' : 'cache_refused'
}
