import { FreshetError } from '@freshet/errors/errors.ts'
import type { Log } from '@freshet/stage/log.ts'
import type { RedisClient } from './connect.ts'
import { FillMark, serversOf } from './fill-mark.ts'
import { toRedisError } from './redis-error.ts'

/** How long a replica that took over in a cluster is taken for the master that it follows. */
const LOOK_MS = 1_000
/** In a cluster that is a call for each of its marks. */
const LOOKS_A_MARK = 5

export interface WatchOptions {
  readonly pipeline: string
  readonly address: string
  readonly log: Log
  /**
   * Every second: why a caller would not be answered from here, undefined when all is well. REDIS_FILLING, which is looked
   * for every five seconds: it may not hold all scores.
   */
  readonly onLook?: (fault: FreshetError | undefined) => void
}

/** How it goes with the Redis of a reader: told by its connection, and looked at every second until disposed. */
export class ReaderWatch implements Disposable {
  readonly #redis: RedisClient
  readonly #options: WatchOptions
  readonly #mark: FillMark
  readonly #looking: NodeJS.Timeout
  #fault: FreshetError | undefined
  #servers: string | undefined
  #isFilled = true
  #looks = 0
  #isLooking = false
  #isDisposed = false

  /** @param redis has not begun to connect */
  constructor(redis: RedisClient, options: WatchOptions) {
    this.#redis = redis
    this.#options = options
    this.#mark = new FillMark(redis, options)
    redis.on('error', (error: unknown) => this.#failed(error))
    redis.on('ready', () => this.#answers())
    this.#looking = setInterval(() => void this.#look(), LOOK_MS).unref()
  }

  /** False: a call would fail at once. */
  get ready(): boolean {
    return this.#redis.status === 'ready'
  }

  /** Why it is not ready, as far as is known. */
  get fault(): FreshetError | undefined {
    return this.#fault
  }

  /** Which processes hold the data; undefined until they were asked. */
  get servers(): string | undefined {
    return this.#servers
  }

  /** What it is told as, that it may not hold all scores. */
  filling(): FreshetError {
    return new FreshetError('REDIS_FILLING', `${this.#options.address} does not hold all scores yet`)
  }

  #failed(error: unknown): void {
    if (this.#isDisposed) return // a connection that is given up is no fault
    const { address, log } = this.#options
    const fault = toRedisError(error, address)
    if (this.#fault?.code !== fault.code) log.error('the cache cannot be read', fault) // once, not at every try
    this.#fault = fault
  }

  #answers(): void {
    const { address, log } = this.#options
    if (this.#fault !== undefined) log.info(`${address} answers again`)
    this.#fault = undefined
    this.#servers = undefined
    this.#looks = 0
    void this.#askServers().catch(() => undefined) // whoever reads finds out why
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
    if (!this.#isDisposed) this.#options.onLook?.(fault)
  }

  async #findFault(): Promise<FreshetError | undefined> {
    const { address } = this.#options
    if (!this.ready) return this.#fault ?? new FreshetError('REDIS_UNREACHABLE', `${address}: not ready`)
    try {
      await this.#askServers()
      if (this.#looks++ % LOOKS_A_MARK === 0) this.#isFilled = await this.#mark.isFilled()
    } catch (error) {
      return toRedisError(error, address)
    }
    return this.#isFilled ? undefined : this.filling()
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true
    clearInterval(this.#looking)
  }
}
