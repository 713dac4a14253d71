import { FreshetError } from '@freshet/errors/errors.ts'

/** One after the other, in the order of the calls; so many may wait. */
export class Lane {
  readonly #maxWaiting: number
  #waiting = 0
  #last: Promise<void> = Promise.resolve()

  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting
  }

  /**
   * Does `work` when all earlier work is over.
   * @throws QUEUE_FULL at once; the reason of `signal` when it aborts before the turn has come
   */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#waiting >= this.#maxWaiting)
      throw new FreshetError('QUEUE_FULL', `${this.#waiting} sends wait already`)
    const turn = this.#last
    const over = Promise.withResolvers<void>()
    this.#last = over.promise
    this.#waiting++
    try {
      await untilTurn(turn, signal)
      return await work()
    } finally {
      this.#waiting--
      void turn.then(over.resolve)
    }
  }
}

async function untilTurn(turn: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<never>()
  const onAbort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort)
  try {
    signal.throwIfAborted()
    await Promise.race([turn, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
