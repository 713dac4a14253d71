import type { Settings } from '@freshet/config/schema.ts'
import { addressOf, connect, createClient, mastersOf, type RedisClient } from './connect.ts'
import { toRedisError } from './redis-error.ts'

const ANSWER_WITHIN_MS = 2_000
const CONNECT_WITHIN_MS = 4_000

/** Whether Redis answers, for who reads and writes nothing there. Keeps its connection between two looks. */
export class RedisPulse implements Disposable {
  readonly #settings: Settings['redis']
  #client: RedisClient | undefined

  constructor(settings: Settings['redis']) {
    this.#settings = settings
  }

  /** Within 6 s. @throws REDIS_UNREACHABLE, REDIS_UNAUTHORIZED, REDIS_REFUSED */
  async feel(): Promise<void> {
    const address = addressOf(this.#settings)
    try {
      this.#client ??= await this.#open(address)
      await Promise.all(mastersOf(this.#client).map((node) => node.ping()))
    } catch (error) {
      this[Symbol.dispose]()
      throw toRedisError(error, address)
    }
  }

  [Symbol.dispose](): void {
    this.#client?.disconnect()
    this.#client = undefined
  }

  async #open(address: string): Promise<RedisClient> {
    const client = createClient(this.#settings, {
      connectTimeout: ANSWER_WITHIN_MS,
      commandTimeout: ANSWER_WITHIN_MS,
      retryStrategy: () => null, // the next look begins anew
    })
    client.on('error', () => {}) // told by the call that it fails
    await connect(client, { address, deadlineMs: CONNECT_WITHIN_MS })
    return client
  }
}
