/** What a request without a body costs, as bytes of a body that cost the same. */
const REQUEST_BYTES = 128
/** From here on a body is heavy: a request with one is refused before those without are in danger. */
const HEAVY_BYTES = 1_024
/** Of the deadline, the work that may be in hand: the rest is for what comes between, such as waiting for stores. */
const WORK_SHARE = 0.5
/** Of the loop's time for a byte of a body: 6.5 ms for 1,000 keys of 25 characters (decisions/0019). */
const MS_PER_BYTE = { first: 0.000_26, least: 0.000_26 / 8, most: 0.000_26 * 16 }
/** The cost is measured over at least so much work, done within so long: an idle loop says nothing of it. */
const MEASURE = { bytes: 64 * 1_024, withinMs: 1_000, weight: 0.3 }

export interface WorkOptions {
  /** The longest that anybody waits for an answer. */
  readonly deadlineMs: number
  /** Milliseconds for which the loop has been at work since it began. */
  readonly activeMs: () => number
  readonly nowMs: () => number
  /** Told of each body that was read and is refused. */
  readonly onRefused?: () => void
}

/**
 * Bounds the work of heavy requests, by the bytes of their bodies: what is in hand of it is done within half the deadline,
 * at the cost that was measured of late on this machine, or it is a single request and was not held up by others. Only
 * what is there is counted, so callers that announce a body and do not send it keep nobody out.
 */
export class WorkInHand {
  readonly #options: WorkOptions
  #heavyBytes = 0
  /** When the last heavy one was let in. */
  #begunAtMs = Number.NEGATIVE_INFINITY
  /** What a byte of a body costs. */
  #msPerByte = MS_PER_BYTE.first
  #doneBytes = 0
  #sinceMs: number
  #activeSinceMs: number

  constructor(options: WorkOptions) {
    this.#options = options
    this.#sinceMs = options.nowMs()
    this.#activeSinceMs = options.activeMs()
  }

  /** Whether a body of this many announced bytes would be refused, and need not even be read. */
  isTooMuch(bytes: number, waitedMs: number): boolean {
    if (bytes < HEAVY_BYTES) return false
    const takesMs = waitedMs + (this.#heavyBytes + bytes) * this.#msPerByte
    if (takesMs <= this.#options.deadlineMs * WORK_SHARE) return false
    // What was begun while this one waited is what held it up, also when it is over; else it was something that passes.
    return this.#heavyBytes > 0 || this.#begunAtMs > this.#options.nowMs() - waitedMs
  }

  /**
   * @param waitedMs since the request was accepted.
   * @returns false when it is to be refused; else `end` is to be called with the same bytes
   */
  begin(bytes: number, waitedMs: number): boolean {
    if (this.isTooMuch(bytes, waitedMs)) {
      this.#options.onRefused?.()
      return false
    }
    if (bytes < HEAVY_BYTES) return true
    this.#heavyBytes += bytes
    this.#begunAtMs = this.#options.nowMs()
    return true
  }

  /** Of each request that was answered or refused. @param bytes of its body; 0 when it was not begun */
  end(bytes: number): void {
    if (bytes >= HEAVY_BYTES) this.#heavyBytes -= bytes
    this.#done(REQUEST_BYTES + bytes)
  }

  #done(bytes: number): void {
    this.#doneBytes += bytes
    if (this.#doneBytes < MEASURE.bytes) return
    const nowMs = this.#options.nowMs()
    const activeMs = this.#options.activeMs()
    if (nowMs - this.#sinceMs < MEASURE.withinMs) {
      const seen = (activeMs - this.#activeSinceMs) / this.#doneBytes
      const mean = this.#msPerByte + MEASURE.weight * (seen - this.#msPerByte)
      this.#msPerByte = Math.min(MS_PER_BYTE.most, Math.max(MS_PER_BYTE.least, mean))
    }
    this.#doneBytes = 0
    this.#sinceMs = nowMs
    this.#activeSinceMs = activeMs
  }
}

/** Milliseconds for which this thread's loop has been at work. */
export function loopActiveMs(): number {
  return performance.eventLoopUtilization().active
}
