import type { Settings } from '@freshet/config/schema.ts'
import { toFreshetError } from '@freshet/errors/errors.ts'
import type { ScoreStore } from '@freshet/ports/score-store.ts'
import type { StoredRows } from '@freshet/records/stored-rows.ts'
import { decodeStoredScore, type StoredScore } from '@freshet/records/stored-score.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { retry } from '@freshet/stage/back-off.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { Throttle } from '@freshet/stage/throttle.ts'
import type { Command } from 'ioredis'
import { assertFit, evictionOf } from './assert-fit.ts'
import { CallMemory } from './call-memory.ts'
import { addressOf, assertConnected, connect, createClient, type RedisClient } from './connect.ts'
import { FillMark } from './fill-mark.ts'
import { GuardCommands } from './guard-command.ts'
import { replyCode, toRedisError } from './redis-error.ts'
import { redisKey } from './redis-key.ts'
import { type GuardedCall, rowsToCalls } from './rows-to-calls.ts'

/** Patient, but every wait ends: a write that takes longer is given up and done again, which the guard makes safe. */
const WRITER = {
  connectTimeout: 1_000,
  socketTimeout: 2_000,
  commandTimeout: 2_000,
  disconnectTimeout: 100,
  maxLoadingRetryTime: 500,
  retryStrategy: (attempt: number) => Math.min(50 * attempt, 1_000) + Math.random() * 50,
}
const CONNECT_DEADLINE_MS = 5_000
const RETRY = { firstMs: 50, maxMs: 1_000 }
const RETRIES_END_MS = 10_000
const LOG_INTERVAL_MS = 60_000
const MAX_BYTES_IN_FLIGHT = 512 * 1024

/** The cache's writer. Redis keeps of every key the row with the highest rank, whoever writes and in whatever order. */
export class RedisScoreStore implements ScoreStore {
  readonly mark: FillMark
  readonly #redis: RedisClient
  readonly #settings: Settings['redis']
  readonly #address: string
  readonly #pipeline: string
  readonly #log: Log
  readonly #memory = new CallMemory()
  readonly #retries = new Throttle(LOG_INTERVAL_MS, systemClock)

  /** @throws REDIS_UNREACHABLE, REDIS_UNAUTHORIZED, REDIS_REFUSED, REDIS_COLLATION, CONFIG_INVALID */
  static async open(
    settings: Settings['redis'],
    options: { pipeline: string; log: Log },
  ): Promise<RedisScoreStore> {
    const address = addressOf(settings)
    const redis = createClient(settings, WRITER)
    try {
      await connect(redis, { address, deadlineMs: CONNECT_DEADLINE_MS })
      await assertFit(redis, address)
      const policy = await evictionOf(redis, address)
      if (policy !== undefined)
        options.log.warn(
          `${address} drops keys when its memory is full (maxmemory-policy ${policy}): scores and deletes may be lost; noeviction refuses writes instead, which are then tried again`,
        )
    } catch (error) {
      redis.disconnect()
      throw error
    }
    return new RedisScoreStore(redis, settings, options)
  }

  private constructor(
    redis: RedisClient,
    settings: Settings['redis'],
    options: { pipeline: string; log: Log },
  ) {
    this.#redis = redis
    this.#settings = settings
    this.#address = addressOf(settings)
    this.#pipeline = options.pipeline
    this.#log = options.log
    this.mark = new FillMark(redis, { pipeline: options.pipeline, address: this.#address })
    redis.on('error', (error) =>
      this.#log.debug('the connection to the cache failed', { [ATTRIBUTES.exceptionMessage]: error.message }),
    )
  }

  /**
   * Tries for 10 s before it gives up.
   * @throws REDIS_UNREACHABLE, REDIS_UNAUTHORIZED, REDIS_REFUSED
   */
  async merge(rows: StoredRows, signal: AbortSignal = new AbortController().signal): Promise<void> {
    const commands = new GuardCommands(rows, this.#pipeline)
    const pending = new Set(rowsToCalls(rows, this.#settings))
    const giveUpAtMs = systemClock.nowMs() + RETRIES_END_MS
    await retry(() => this.#sendAll(pending, commands), {
      backOff: RETRY,
      clock: systemClock,
      signal,
      onError: (error, attempt) => {
        if (systemClock.nowMs() >= giveUpAtMs) throw error
        if (this.#retries.pass(toFreshetError(error).code) === null) return
        this.#log.warn('writing to the cache again', {
          [ATTRIBUTES.attempt]: attempt,
          [ATTRIBUTES.exceptionMessage]: String(error),
          [ATTRIBUTES.redisCallsLeft]: pending.size,
        })
      },
    })
  }

  async get(key: string): Promise<StoredScore | undefined> {
    assertConnected(this.#redis)
    const text = await this.#translated(
      this.#redis.get(redisKey(this.#pipeline, key, this.#settings.cluster)),
    )
    return text === null ? undefined : decodeStoredScore(key, text)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#redis.disconnect()
  }

  /** Sends what is pending, a bounded number of bytes ahead of the answers; what Redis has taken leaves the set. */
  async #sendAll(pending: Set<GuardedCall>, commands: GuardCommands): Promise<void> {
    const sending: Promise<void>[] = []
    let bytes = 0
    let room = Promise.withResolvers<void>()
    let failure: unknown
    for (const call of [...pending]) {
      const callBytes = commands.maxBytes(call)
      while (bytes > 0 && bytes + callBytes > MAX_BYTES_IN_FLIGHT) {
        room = Promise.withResolvers()
        await room.promise
      }
      if (failure !== undefined) break
      bytes += callBytes
      const taken = this.#send(call, commands, callBytes).then(
        () => void pending.delete(call),
        (error: unknown) => {
          failure ??= error
        },
      )
      sending.push(
        taken.then(() => {
          bytes -= callBytes
          room.resolve()
        }),
      )
    }
    await Promise.all(sending)
    if (failure !== undefined) throw failure
  }

  async #send(call: GuardedCall, commands: GuardCommands, maxBytes: number): Promise<void> {
    assertConnected(this.#redis)
    const memory = this.#memory.take(maxBytes)
    const command = commands.write(call, memory, true) // what it throws is not Redis's fault
    try {
      await this.#ask(command)
    } catch (error) {
      if (replyCode(error) !== 'NOSCRIPT') throw toRedisError(error, this.#address)
      await this.#translated(this.#ask(commands.write(call, memory, false)))
    }
    this.#memory.giveBack(memory) // not after a failure: what was given up may still be on its way
  }

  #ask(command: Command): Promise<unknown> {
    this.#redis.sendCommand(command)
    return command.promise
  }

  #translated<T>(reply: Promise<T>): Promise<T> {
    return reply.catch((error: unknown) => {
      throw toRedisError(error, this.#address)
    })
  }
}
