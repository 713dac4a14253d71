import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { readLag } from '@freshet/adapters/kafka/lag.ts'
import { toFreshetError } from '@freshet/errors/errors.ts'
import { consumerGroups } from '@freshet/records/topics.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Facts, GroupLag } from '../rules/judge.ts'
import type { Heard } from './heard.ts'

export interface FactReaderOptions {
  readonly connection: KafkaConnection
  readonly pipeline: string
  readonly heard: Heard
  /** How long an instance that says nothing is remembered. */
  readonly rememberMs: number
  readonly clock: Clock
}

/** Sees the pipeline from outside: how far its consumer groups are, and what its instances say. */
export class FactReader {
  readonly #options: FactReaderOptions
  #answersSinceMs: number | null = null

  constructor(options: FactReaderOptions) {
    this.#options = options
  }

  /** One look; Kafka being away is a fact, not an error, and so it seems when `signal` aborts. */
  async look(signal: AbortSignal): Promise<Facts> {
    const { heard, rememberMs, clock } = this.#options
    let groups: GroupLag[]
    try {
      groups = await this.#readGroups(signal)
    } catch (error) {
      this.#answersSinceMs = null
      return { kafka: 'unreachable', nowMs: clock.nowMs(), error: toFreshetError(error) }
    }
    const nowMs = clock.nowMs()
    this.#answersSinceMs ??= nowMs
    heard.forgetBefore(nowMs - rememberMs)
    return {
      kafka: 'reachable',
      nowMs,
      answersSinceMs: this.#answersSinceMs,
      groups,
      instances: heard.instances(),
      recentDeadRows: heard.recentDeadRows(nowMs),
    }
  }

  #readGroups(signal: AbortSignal): Promise<GroupLag[]> {
    const { connection, pipeline } = this.#options
    return Promise.all(
      consumerGroups(pipeline).map(async (group) => ({
        ...group,
        partitions: await readLag(connection, group, signal),
      })),
    )
  }
}
