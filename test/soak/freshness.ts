import { redisKey } from '@freshet/adapters/redis/redis-key.ts'
import { decodeStoredScore } from '@freshet/records/stored-score.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { Redis } from 'ioredis'

/** Also how exact a sample is. */
const ASK_EVERY_MS = 20
const GIVE_UP_MS = 300_000

export interface Written {
  /** In Freshet. */
  readonly key: string
  readonly primaryTerm: number
  readonly seqNo: number
}

interface Waiting extends Written {
  readonly ackedAtMs: number
}

/**
 * Samples of freshness: from when Elasticsearch acknowledged a write until Redis holds a score of that write, or of a
 * later one. All that wait are asked for in one call, so a sample costs Redis next to nothing.
 */
export class FreshnessSamples implements AsyncDisposable {
  readonly #redis: Redis
  readonly #pipeline: string
  readonly #waiting = new Map<string, Waiting>()
  readonly #stop = new AbortController()
  readonly #work: Promise<void>
  #milliseconds: number[] = []
  /** Were given up on. */
  never = 0

  constructor({ url, pipeline }: { url: string; pipeline: string }) {
    this.#redis = new Redis(url)
    this.#pipeline = pipeline
    this.#work = this.#watch()
  }

  /** Call it when the write was just acknowledged. */
  watch(written: Written): void {
    this.#waiting.set(written.key, { ...written, ackedAtMs: performance.now() })
  }

  /** How long the oldest has waited: the lag of the pipeline from end to end. */
  get waitingSeconds(): number {
    const [oldest] = this.#waiting.values()
    return oldest === undefined ? 0 : (performance.now() - oldest.ackedAtMs) / 1_000
  }

  /** Waits until the oldest has waited less than that. */
  async untilBelow(seconds: number, signal: AbortSignal): Promise<void> {
    while (this.waitingSeconds > seconds) {
      signal.throwIfAborted()
      await systemClock.sleep(ASK_EVERY_MS, signal)
    }
  }

  /** Those since the last call. */
  take(): number[] {
    const taken = this.#milliseconds
    this.#milliseconds = []
    return taken
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      if (this.#waiting.size > 0) await this.#look()
      await systemClock.sleep(ASK_EVERY_MS, signal)
    }
  }

  async #look(): Promise<void> {
    const asked = [...this.#waiting.values()]
    const texts = await this.#redis.mget(asked.map(({ key }) => redisKey(this.#pipeline, key, false)))
    const nowMs = performance.now()
    for (const [at, one] of asked.entries()) {
      const text = texts[at]
      const isThere = text != null && isOf(text, one)
      const waitedMs = nowMs - one.ackedAtMs
      if (!isThere && waitedMs < GIVE_UP_MS) continue
      if (isThere) this.#milliseconds.push(waitedMs)
      else this.never++
      if (this.#waiting.get(one.key) === one) this.#waiting.delete(one.key)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#work
    this.#redis.disconnect()
  }
}

function isOf(text: string, { key, primaryTerm, seqNo }: Written): boolean {
  const { revision } = decodeStoredScore(key, text).rank
  return (
    revision.primaryTerm > primaryTerm || (revision.primaryTerm === primaryTerm && revision.seqNo >= seqNo)
  )
}
