import { setTimeout as sleep } from 'node:timers/promises'
import { redisKey } from '@freshet/adapters/redis/redis-key.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { Redis } from 'ioredis'

const LOOK_EVERY_MS = 2
const UNLINK_KEYS = 1_000

interface Awaited {
  readonly sinceMs: number
  readonly seen: (latencyMs: number) => void
}

/** Looks into Redis, every few milliseconds, for scores that are on their way. */
export class Arrivals implements AsyncDisposable {
  readonly #redis: Redis
  readonly #pipeline: string
  readonly #awaited = new Map<string, Awaited>()
  readonly #ended = new AbortController()
  readonly #looking: Promise<void>

  constructor({ redis, pipeline }: Settings) {
    this.#redis = new Redis(redis.url)
    this.#pipeline = pipeline
    this.#looking = this.#look()
  }

  /** @returns how long after this call each was seen, once all are there; keys that were there before arrive at once */
  of(keys: readonly string[]): Promise<number[]> {
    const sinceMs = performance.now()
    return Promise.all(
      keys.map((key) => {
        const { promise, resolve: seen } = Promise.withResolvers<number>()
        this.#awaited.set(redisKey(this.#pipeline, key, false), { sinceMs, seen })
        return promise
      }),
    )
  }

  async #look(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      const keys = [...this.#awaited.keys()]
      const values = keys.length === 0 ? [] : await this.#redis.mget(keys)
      const nowMs = performance.now()
      for (const [at, key] of keys.entries()) {
        if (values[at] === null) continue
        const { sinceMs, seen } = this.#awaited.get(key)!
        this.#awaited.delete(key)
        seen(nowMs - sinceMs)
      }
      await sleep(LOOK_EVERY_MS)
    }
  }

  /** Takes away all that the pipeline has in Redis. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort()
    await this.#looking
    for (let cursor = '0', done = false; !done; done = cursor === '0') {
      const pattern = `${redisKey(this.#pipeline, '', false)}*`
      const [next, keys] = await this.#redis.scan(cursor, 'MATCH', pattern, 'COUNT', UNLINK_KEYS)
      cursor = next
      if (keys.length > 0) await this.#redis.unlink(keys)
    }
    this.#redis.disconnect()
  }
}
