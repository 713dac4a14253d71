import type { Settings } from '@freshet/config/schema.ts'
import type { FreshetError } from '@freshet/errors/errors.ts'
import { decodeStoredScore, type StoredScore } from '@freshet/records/stored-score.ts'
import { addressOf, assertConnected, createClient, type RedisClient } from './connect.ts'
import { isWhole, readMark } from './fill-mark.ts'
import { ReaderWatch, type WatchOptions } from './reader-watch.ts'
import { KEYS_PER_CALL, ReadsOfATurn } from './reads-of-a-turn.ts'
import { toRedisError } from './redis-error.ts'
import { bucketOf, markKeyIn, redisKey, redisKeyIn } from './redis-key.ts'

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

/** What Redis has of some keys, decoded as one asks: of a thousand at once that is milliseconds. */
export interface ScoreSlice {
  /**
   * Of the key at this position.
   * @returns undefined when Redis has nothing and holds all scores; 'filling' when it may not hold all.
   * @throws RECORD_VERSION, RECORD_MALFORMED
   */
  scoreAt(at: number): StoredScore | 'filling' | undefined
}

export type ReaderOptions = Omit<WatchOptions, 'address'>

/** Reads scores for callers who cannot wait. Connects and reconnects by itself, for ever, until disposed. */
export class RedisScoreReader implements AsyncDisposable {
  readonly #redis: RedisClient
  readonly #address: string
  readonly #pipeline: string
  readonly #isCluster: boolean
  readonly #reads = new ReadsOfATurn(async (keys) => (await this.getSlice(keys)).scoreAt)
  readonly #watch: ReaderWatch

  constructor(settings: Settings['redis'], options: ReaderOptions) {
    this.#address = addressOf(settings)
    this.#pipeline = options.pipeline
    this.#isCluster = settings.cluster
    this.#redis = createClient(settings, QUICK)
    this.#watch = new ReaderWatch(this.#redis, { ...options, address: this.#address })
    this.#redis.connect().catch(() => undefined) // the watch has heard the error, and the client tries again
  }

  /** False: a call would fail at once. */
  get ready(): boolean {
    return this.#watch.ready
  }

  /** Why it is not ready, as far as is known. */
  get fault(): FreshetError | undefined {
    return this.#watch.fault
  }

  /**
   * @returns undefined when Redis looked, has nothing, and holds all scores.
   * @throws REDIS_FILLING when it has nothing, but may not hold all scores; REDIS_UNREACHABLE, REDIS_UNAUTHORIZED,
   *   REDIS_REFUSED, REDIS_WRONG_TYPE, RECORD_VERSION, RECORD_MALFORMED
   */
  get(key: string): Promise<StoredScore | undefined> {
    // In a cluster each call finds its own connection.
    const reading = this.#isCluster
      ? this.getSlice([key]).then(({ scoreAt }) => scoreAt(0))
      : this.#reads.get(key)
    return reading.then((found) => (typeof found === 'object' ? found : this.#lookAgain(key, found)))
  }

  /** By itself: only then is told that a key holds something else than text. */
  async #lookAgain(key: string, before: 'filling' | undefined): Promise<StoredScore | undefined> {
    const text = await this.#read(redisKey(this.#pipeline, key, this.#isCluster))
    if (text !== null) return decodeStoredScore(key, text) // it has come meanwhile
    if (before !== 'filling') return undefined
    throw this.#watch.filling()
  }

  /** Parts of `keys` that one call can ask for, as positions in them: in a cluster those of a part lie in one slot. */
  slicesOf(keys: readonly string[]): readonly number[][] {
    const open = new Map<number | undefined, number[]>()
    const slices: number[][] = []
    for (let at = 0; at < keys.length; at++) {
      const bucket = this.#isCluster ? bucketOf(Buffer.from(keys[at]!)) : undefined
      let slice = open.get(bucket)
      if (slice === undefined || slice.length >= KEYS_PER_CALL) {
        open.set(bucket, (slice = []))
        slices.push(slice)
      }
      slice.push(at)
    }
    return slices
  }

  /**
   * What Redis has of the keys of one slice, in one call.
   * @throws REDIS_UNREACHABLE, REDIS_UNAUTHORIZED, REDIS_REFUSED
   */
  async getSlice(keys: readonly string[]): Promise<ScoreSlice> {
    const bucket = this.#isCluster ? bucketOf(Buffer.from(keys[0]!)) : undefined
    const names = keys.map((key) => redisKeyIn(bucket, this.#pipeline, key))
    names.push(markKeyIn(bucket, this.#pipeline))
    assertConnected(this.#redis)
    let texts: (string | null)[]
    try {
      texts = await this.#redis.mget(names)
    } catch (error) {
      throw toRedisError(error, this.#address)
    }
    const mark = readMark(texts.pop()!)
    const { servers } = this.#watch
    const holdsAll = servers !== undefined && isWhole(mark, servers)
    return {
      scoreAt(at) {
        const text = texts[at]!
        if (text !== null) return decodeStoredScore(keys[at]!, text)
        return holdsAll ? undefined : 'filling'
      },
    }
  }

  async #read(name: string): Promise<string | null> {
    assertConnected(this.#redis)
    try {
      return await this.#redis.get(name)
    } catch (error) {
      throw toRedisError(error, this.#address)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch[Symbol.dispose]()
    this.#redis.disconnect()
  }
}
