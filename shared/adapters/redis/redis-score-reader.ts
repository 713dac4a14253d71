import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { decodeStoredScore, type StoredScore } from '@freshet/records/stored-score.ts'
import type { Log } from '@freshet/stage/log.ts'
import { Redis } from 'ioredis'
import { addressOf, assertConnected, createClient, type RedisClient } from './connect.ts'
import { FillMark, isWhole, readMark, serversOf } from './fill-mark.ts'
import { OneWriteATurn } from './one-write-a-turn.ts'
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

/** How long a replica that took over in a cluster is taken for the master that it follows. */
const LOOK_MS = 1_000
/** In a cluster that is a call for each of its marks. */
const LOOKS_A_MARK = 5

/** More keys a call save little, and other readers wait for as long as one takes (figures: decisions/0019). */
const KEYS_PER_SLICE = 128

/** What Redis has of some keys, decoded as one asks: of a thousand at once that is milliseconds. */
export interface ScoreSlice {
  /**
   * Of the key at this position.
   * @returns undefined when Redis has nothing and holds all scores; 'filling' when it may not hold all.
   * @throws RECORD_VERSION, RECORD_MALFORMED
   */
  scoreAt(at: number): StoredScore | 'filling' | undefined
}

export interface ReaderOptions {
  readonly pipeline: string
  readonly log: Log
  /**
   * Every second: why a caller would not be answered from here, undefined when all is well. REDIS_FILLING, which is looked
   * for every five seconds: it may not hold all scores.
   */
  readonly onLook?: (fault: FreshetError | undefined) => void
}

/** Reads scores for callers who cannot wait. Connects and reconnects by itself, for ever, until disposed. */
export class RedisScoreReader implements AsyncDisposable {
  readonly #redis: RedisClient
  readonly #address: string
  readonly #pipeline: string
  readonly #isCluster: boolean
  readonly #writes = new OneWriteATurn()
  #fault: FreshetError | undefined
  /** Which processes hold the data; undefined until they were asked. */
  #servers: string | undefined
  readonly #mark: FillMark
  #isFilled = true
  #looks = 0
  #isLooking = false
  readonly #looking: NodeJS.Timeout
  #isDisposed = false
  readonly #onLook: ReaderOptions['onLook']

  constructor(settings: Settings['redis'], options: ReaderOptions) {
    this.#address = addressOf(settings)
    this.#pipeline = options.pipeline
    this.#isCluster = settings.cluster
    this.#onLook = options.onLook
    this.#redis = createClient(settings, QUICK)
    this.#mark = new FillMark(this.#redis, { pipeline: options.pipeline, address: this.#address })
    this.#redis.on('error', (error: unknown) => this.#failed(error, options.log))
    this.#redis.on('ready', () => {
      if (this.#fault !== undefined) options.log.info(`${this.#address} answers again`)
      this.#fault = undefined
      this.#servers = undefined
      this.#looks = 0
      void this.#askServers().catch(() => undefined) // whoever reads finds out why
    })
    this.#looking = setInterval(() => void this.#look(), LOOK_MS).unref()
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
   * @returns undefined when Redis looked, has nothing, and holds all scores.
   * @throws REDIS_FILLING when it has nothing, but may not hold all scores; REDIS_UNREACHABLE, REDIS_UNAUTHORIZED,
   *   REDIS_REFUSED, REDIS_WRONG_TYPE, RECORD_VERSION, RECORD_MALFORMED
   */
  async get(key: string): Promise<StoredScore | undefined> {
    const text = await this.#read(redisKey(this.#pipeline, key, this.#isCluster))
    if (text !== null) return decodeStoredScore(key, text)
    const { scoreAt } = await this.getSlice([key]) // with the mark, at one moment: the last key may just have come
    const score = scoreAt(0)
    if (score !== 'filling') return score
    throw this.#filling()
  }

  /** Parts of `keys` that one call can ask for, as positions in them: in a cluster those of a part lie in one slot. */
  slicesOf(keys: readonly string[]): readonly number[][] {
    const open = new Map<number | undefined, number[]>()
    const slices: number[][] = []
    for (let at = 0; at < keys.length; at++) {
      const bucket = this.#isCluster ? bucketOf(keys[at]!) : undefined
      let slice = open.get(bucket)
      if (slice === undefined || slice.length >= KEYS_PER_SLICE) {
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
    const bucket = this.#isCluster ? bucketOf(keys[0]!) : undefined
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
    const holdsAll = this.#servers !== undefined && isWhole(mark, this.#servers)
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
    // In a cluster each call finds its own connection.
    if (this.#redis instanceof Redis) this.#writes.gather(this.#redis.stream)
    try {
      return await this.#redis.get(name)
    } catch (error) {
      throw toRedisError(error, this.#address)
    }
  }

  /** Where it fails they stay unknown, or what they were. */
  async #askServers(): Promise<void> {
    if (this.ready) this.#servers = await serversOf(this.#redis)
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return // one that waits for a server that stands still
    this.#isLooking = true
    const fault = await this.#findFault()
    this.#isLooking = false
    if (!this.#isDisposed) this.#onLook?.(fault)
  }

  async #findFault(): Promise<FreshetError | undefined> {
    if (!this.ready)
      return this.#fault ?? new FreshetError('REDIS_UNREACHABLE', `${this.#address}: not ready`)
    try {
      await this.#askServers()
      if (this.#looks++ % LOOKS_A_MARK === 0) this.#isFilled = await this.#mark.isFilled()
    } catch (error) {
      return toRedisError(error, this.#address)
    }
    return this.#isFilled ? undefined : this.#filling()
  }

  #filling(): FreshetError {
    return new FreshetError('REDIS_FILLING', `${this.#address} does not hold all scores yet`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    clearInterval(this.#looking)
    this.#redis.disconnect()
  }

  #failed(error: unknown, log: Log): void {
    if (this.#isDisposed) return // a connection that is given up is no fault
    const fault = toRedisError(error, this.#address)
    if (this.#fault?.code !== fault.code) log.error('the cache cannot be read', fault) // once, not at every try
    this.#fault = fault
  }
}
