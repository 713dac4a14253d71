import type { FreshetError } from '@freshet/errors/errors.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { Throttle } from '@freshet/stage/throttle.ts'

/** Says that a consumer is built anew. While brokers are away that is every few seconds: of each kind of error once a minute. */
export class RebuildTeller {
  readonly #log: Log
  readonly #what: string
  readonly #lines: Throttle

  constructor(groupId: string, log: Log, clock: Pick<Clock, 'nowMs'>) {
    this.#log = log
    this.#what = `the consumer of ${groupId} is built anew`
    this.#lines = new Throttle(60_000, clock)
  }

  tell(error: FreshetError): void {
    if (error.code === 'BUG') {
      this.#log.error(this.#what, error)
      return
    }
    const leftOut = this.#lines.pass(error.code)
    if (leftOut === null) return
    this.#log.warn(`${error.message}; ${this.#what}`, {
      [ATTRIBUTES.errorType]: error.code,
      ...(leftOut > 0 && { [ATTRIBUTES.linesLeftOut]: leftOut }),
    })
  }
}
