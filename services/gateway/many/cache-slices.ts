import type { ScoreSlice } from '@freshet/adapters/redis/redis-score-reader.ts'
import { isFreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { Reason } from '@freshet/records/reasons.ts'
import { type Asking, type CacheLimits, judgeLate, mayAskCache } from '../ladder/may-ask-cache.ts'
import { NOTHING, type Said, UNREADABLE, unheard } from '../ladder/said.ts'
import type { Deadline } from '../server/deadline.ts'
import { whenLate } from '../server/waits.ts'

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

/**
 * Asks the cache for many keys side by side, slice by slice, but never longer than its budget: what has not come by then
 * was not heard, and what has come stands. Shares the breaker of the rung that asks for single keys.
 */
export class CacheSlices {
  readonly #reader: SliceReader
  readonly #limits: CacheLimits
  #keysAsked = 0

  constructor(reader: SliceReader, limits: CacheLimits) {
    this.#reader = reader
    this.#limits = limits
  }

  /** Never rejects. */
  async ask(keys: readonly string[], deadline: Deadline): Promise<Heard> {
    if (keys.length === 0) return () => NOTHING // there is nobody to wait for, and nothing to hold against the cache
    const store = { ready: this.#reader.ready, isFull: this.#keysAsked + keys.length > MAX_KEYS_ASKED }
    const asking = mayAskCache(this.#limits, store, deadline)
    if (typeof asking === 'string') return nothing(asking)
    this.#keysAsked += keys.length
    try {
      return await this.#askSlices(keys, asking)
    } finally {
      this.#keysAsked -= keys.length
    }
  }

  async #askSlices(keys: readonly string[], asking: Asking): Promise<Heard> {
    const slices = this.#reader.slicesOf(keys)
    const came: (ScoreSlice | Reason)[] = slices.map(() => 'cache_late')
    let missing = slices.length
    const { promise: over, resolve } = Promise.withResolvers<void>()
    const timer = whenLate(asking.waitMs, resolve)
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
    this.#judge(replies, asking)
    return heardOf(slices, replies)
  }

  /**
   * The breaker is that of all keys, so one slice that comes speaks for the cache: the others may be those of one master of
   * a cluster, and the rest of it must not be cut off.
   */
  #judge(replies: readonly (ScoreSlice | Reason)[], asking: Asking): void {
    const { breaker } = this.#limits
    if (replies.some((reply) => typeof reply !== 'string')) breaker.succeeded()
    else if (replies.every((reply) => reply === 'cache_late')) judgeLate(this.#limits, asking)
    else breaker.missed(asking.ticket, performance.now())
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
    return score === undefined ? NOTHING : { kind: 'has', score }
  } catch (error) {
    if (UNREADABLE.has(toFreshetError(error).code)) return unheard('cache_unreadable')
    throw error
  }
}

function nothing(reason: Reason): Heard {
  const said = unheard(reason)
  return () => said
}

function reasonOf(error: unknown): Reason {
  return isFreshetError(error, 'REDIS_UNREACHABLE') ? 'cache_unreachable' : 'cache_refused'
}
