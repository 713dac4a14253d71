import { toFreshetError } from '@freshet/errors/errors.ts'
import type { Fault, Sight } from '@freshet/records/facts.ts'
import type { Clock } from '@freshet/stage/clock.ts'

/** A server that takes longer is as good as away: whoever works with it has given up before. */
const ANSWER_WITHIN_MS = 5_000

export interface ServerWatchOptions<T> {
  /** Ends when `signal` aborts. */
  readonly look: (signal: AbortSignal) => Promise<T>
  /** Time between two looks, by what the last one saw; a shorter one where something is wrong. */
  readonly pauseMs: (sight: Sight<T>) => number
  readonly clock: Clock
}

/** Looks at one server again and again, on its own, so that one that hangs holds up nobody. What it saw last stays. */
export class ServerWatch<T> {
  readonly #options: ServerWatchOptions<T>
  #sight: Sight<T> = { seenAtMs: null, value: null, fault: null }

  constructor(options: ServerWatchOptions<T>) {
    this.#options = options
  }

  get sight(): Sight<T> {
    return this.#sight
  }

  async run(signal: AbortSignal): Promise<void> {
    const { pauseMs, clock } = this.#options
    while (!signal.aborted) {
      await this.#look(signal)
      await clock.sleep(pauseMs(this.#sight), signal)
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { look, clock } = this.#options
    try {
      const value = await look(AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]))
      this.#sight = { seenAtMs: clock.nowMs(), value, fault: null }
    } catch (error) {
      if (signal.aborted) return
      this.#sight = { ...this.#sight, fault: faultOf(error, this.#sight.fault, clock.nowMs()) }
    }
  }
}

/** @param before what was wrong at the look before */
export function faultOf(error: unknown, before: Fault | null, nowMs: number): Fault {
  const { code, message } = toFreshetError(error)
  return { sinceMs: before?.sinceMs ?? nowMs, error: `${code}: ${message}` }
}
