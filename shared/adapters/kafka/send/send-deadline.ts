import { FreshetError } from '@freshet/errors/errors.ts'
import type { Clock } from '@freshet/stage/clock.ts'

/** The end of one call of `send`: its time is over, or its caller gave up. Dispose it when the call returns. */
export class SendDeadline implements Disposable {
  /** Aborts at the end. */
  readonly signal: AbortSignal
  /** What went wrong last, to be named when the time is over. */
  lastError: FreshetError | undefined
  readonly #caller: AbortSignal
  readonly #deadlineMs: number
  readonly #disposed = new AbortController()
  readonly #over = Promise.withResolvers<never>()

  constructor(clock: Clock, deadlineMs: number, caller: AbortSignal) {
    const late = new AbortController()
    this.#caller = caller
    this.#deadlineMs = deadlineMs
    this.signal = AbortSignal.any([caller, late.signal])
    this.#over.promise.catch(() => {})
    this.signal.addEventListener('abort', () => this.#over.reject(this.signal.reason), {
      signal: this.#disposed.signal,
    })
    void clock.sleep(deadlineMs, this.#disposed.signal).then(() => {
      if (!this.#disposed.signal.aborted) late.abort()
    })
  }

  /** Rejects at the end, whatever becomes of `work`. */
  race<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#over.promise])
  }

  /** @throws KAFKA_PRODUCE_DEADLINE when the end has come */
  check(topic: string, left: number): void {
    if (!this.signal.aborted) return
    const why = this.#caller.aborted ? 'the caller stopped' : `${this.#deadlineMs} ms are over`
    const last = this.lastError ? ` (${this.lastError.code}: ${this.lastError.message})` : ''
    throw new FreshetError(
      'KAFKA_PRODUCE_DEADLINE',
      `${why} with ${left} messages for ${topic} not acknowledged${last}`,
      { cause: this.lastError },
    )
  }

  [Symbol.dispose](): void {
    this.#disposed.abort(RETURNED)
  }
}

/** Nobody sees it: without a reason of ours a DOMException with its stack is made for every send. */
const RETURNED = 'the send has returned'
