import type { Stats } from '@freshet/adapters/elasticsearch/shards-api.ts'
import { toFreshetError } from '@freshet/errors/errors.ts'
import type { Log } from '@freshet/stage/log.ts'
import { indexStates } from './index-states.ts'

/** Looks at the states of all indices; where they cannot be had, it says so once, and once when they can again. */
export class StateWatch {
  readonly #read: () => Promise<Stats>
  readonly #log: Log
  #isBlind = false

  constructor(read: () => Promise<Stats>, log: Log) {
    this.#read = read
    this.#log = log
  }

  /** @returns by name; none without the privilege to ask, or on Elasticsearch Serverless: every poll reads then. */
  async look(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    try {
      const states = indexStates(await this.#read())
      if (this.#isBlind) this.#log.info('indices at rest are told from changed ones again')
      this.#isBlind = false
      return states
    } catch (error) {
      if (signal.aborted) return new Map()
      const { message } = toFreshetError(error)
      if (!this.#isBlind)
        this.#log.warn(
          `indices at rest cannot be told from changed ones, so every poll reads all: ${message}`,
        )
      this.#isBlind = true
      return new Map()
    }
  }
}
