import type { Settings } from '@freshet/config/schema.ts'
import type { FreshetError } from '@freshet/errors/errors.ts'
import { decodeStoredScore, type StoredScore } from '@freshet/records/stored-score.ts'
import type { Log } from '@freshet/stage/log.ts'
import { addressOf, assertConnected, createClient, type RedisClient } from './connect.ts'
import { toRedisError } from './redis-error.ts'
import { redisKey } from './redis-key.ts'

/**
 * Fails at once or within 200 ms, and is back a moment after Redis is (figures: decisions/0006). `socketTimeout` is what
 * notices a server that stands still; `commandTimeout` is left out, since the caller counts its own deadline.
 */
const QUICK = {
  connectTimeout: 250,
  socketTimeout: 200,
  disconnectTimeout: 100,
  maxLoadingRetryTime: 200,
  retryStrategy: (attempt: number) => Math.min(20 * attempt, 100) + Math.random() * 20,
}

/** Reads scores for callers who cannot wait. Connects and reconnects by itself, for ever, until disposed. */
export class RedisScoreReader implements AsyncDisposable {
  readonly #redis: RedisClient
  readonly #address: string
  readonly #pipeline: string
  readonly #isCluster: boolean
  #fault: FreshetError | undefined

  constructor(settings: Settings['redis'], options: { pipeline: string; log: Log }) {
    this.#address = addressOf(settings)
    this.#pipeline = options.pipeline
    this.#isCluster = settings.cluster
    this.#redis = createClient(settings, QUICK)
    this.#redis.on('error', (error: unknown) => this.#failed(error, options.log))
    this.#redis.on('ready', () => {
      if (this.#fault !== undefined) options.log.info(`${this.#address} answers again`)
      this.#fault = undefined
    })
    this.#redis.connect().catch(() => undefined) // the error event has told, and the client tries again
  }

  /** False: a call would fail at once. */
  get ready(): boolean {
    return this.#redis.status === 'ready'
  }

  /** Why it is not ready, as far as is known. */
  get fault(): FreshetError | undefined {
    return this.#fault
  }

  /**
   * @returns undefined when Redis looked and has nothing.
   * @throws REDIS_UNREACHABLE, REDIS_UNAUTHORIZED, REDIS_REFUSED, RECORD_VERSION, RECORD_MALFORMED
   */
  async get(key: string): Promise<StoredScore | undefined> {
    assertConnected(this.#redis)
    let text: string | null
    try {
      text = await this.#redis.get(redisKey(this.#pipeline, key, this.#isCluster))
    } catch (error) {
      throw toRedisError(error, this.#address)
    }
    return text === null ? undefined : decodeStoredScore(key, text)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#redis.disconnect()
  }

  #failed(error: unknown, log: Log): void {
    const fault = toRedisError(error, this.#address)
    if (this.#fault?.code !== fault.code) log.error('the cache cannot be read', fault) // once, not at every try
    this.#fault = fault
  }
}
