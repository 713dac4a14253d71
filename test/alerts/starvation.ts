/** Whether who must answer within milliseconds can get the CPU in time: with a load average alone nobody knows. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

const EVERY_MS = 10
/** The gateway waits so long for Redis, and people are told when that is too short for 5 % of the answers. */
const BUDGET_MS = 20
/** Redis's to ask, and the gateway's to hear of it. */
const WAKINGS = 2
const PERCENTILE = 95

/** Watches how late this process is woken, which does next to nothing itself, from now on until it is disposed. */
export class Starvation implements Disposable {
  readonly #delays = monitorEventLoopDelay({ resolution: EVERY_MS })

  constructor() {
    this.#delays.enable()
  }

  /** Of a hundred wakings five are later than this. What is seen is the time between two of them. */
  get lateMs(): number {
    return Math.max(0, this.#delays.percentile(PERCENTILE) / 1e6 - EVERY_MS)
  }

  get isStarved(): boolean {
    return this.lateMs > BUDGET_MS / WAKINGS
  }

  [Symbol.dispose](): void {
    this.#delays.disable()
  }
}
