import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { redisKey } from '@freshet/adapters/redis/redis-key.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { Redis } from 'ioredis'
import type { Arrived, Expected } from './arrivals-worker.ts'
import { nowMs } from './now-ms.ts'

const WORKER = new URL('./arrivals-worker.ts', import.meta.url)
const UNLINK_KEYS = 1_000

/**
 * Sees scores arrive in Redis. From a thread of its own: the one that sends changes builds pages of them meanwhile, and would
 * count that as time of the scorer's.
 */
export class Arrivals implements AsyncDisposable {
  readonly #redisUrl: string
  readonly #pipeline: string
  readonly #worker: Worker
  readonly #waiting = new Map<number, (latenciesMs: readonly number[]) => void>()
  #lastId = 0

  constructor({ redis, pipeline }: Settings) {
    this.#redisUrl = redis.url
    this.#pipeline = pipeline
    this.#worker = new Worker(WORKER, { workerData: { url: redis.url } })
    this.#worker.on('message', ({ id, latenciesMs }: Arrived) => {
      this.#waiting.get(id)!(latenciesMs)
      this.#waiting.delete(id)
    })
  }

  /** @returns how long after this call each was seen, once all are there; keys that were there before arrive at once */
  of(keys: readonly string[]): Promise<readonly number[]> {
    const { promise, resolve } = Promise.withResolvers<readonly number[]>()
    const id = ++this.#lastId
    this.#waiting.set(id, resolve)
    const ofRedis = keys.map((key) => redisKey(this.#pipeline, key, false))
    this.#worker.postMessage({ id, keys: ofRedis, sinceMs: nowMs() } satisfies Expected)
    return promise
  }

  /** Takes away all that the pipeline has in Redis. */
  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#worker, 'exit')
    this.#worker.postMessage('end')
    await ended
    const redis = new Redis(this.#redisUrl)
    for (let cursor = '0', done = false; !done; done = cursor === '0') {
      const pattern = `${redisKey(this.#pipeline, '', false)}*`
      const [next, keys] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', UNLINK_KEYS)
      cursor = next
      if (keys.length > 0) await redis.unlink(keys)
    }
    redis.disconnect()
  }
}
