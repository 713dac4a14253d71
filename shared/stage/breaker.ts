export interface BreakerOptions {
  /** Misses in a row that cut the dependency off, */
  readonly misses: number
  /** for this long; then one request at a time tries it. */
  readonly restMs: number
}

/** Of one admission; 0 when there is none. Whoever has it tells by it how it went. */
export type Ticket = number

const REFUSED: Ticket = 0
/** Of all who are let through while nothing is wrong; a trial's is greater, and its own. */
const ORDINARY: Ticket = 1

/**
 * Cuts off a dependency that keeps failing, so that nobody waits for it. Refusing costs a comparison and no error
 * object. Every admission ends with one of `succeeded`, `missed` and `undecided`; only that of the trial itself makes room
 * for the next trial, not those of requests from before the cut.
 */
export class Breaker {
  readonly #options: BreakerOptions
  #missesInARow = 0
  #closedUntilMs = 0
  #trials = 0
  /** Ticket of the trial that is under way. */
  #trial = REFUSED

  constructor(options: BreakerOptions) {
    this.#options = options
  }

  /** @returns 0 when the dependency is not to be asked. */
  admit(nowMs: number): Ticket {
    if (this.#missesInARow < this.#options.misses) return ORDINARY
    if (this.#trial !== REFUSED || nowMs < this.#closedUntilMs) return REFUSED
    this.#trial = ORDINARY + ++this.#trials
    return this.#trial
  }

  /** Whoever it was: the dependency works. */
  succeeded(): void {
    this.#missesInARow = 0
    this.#trial = REFUSED
  }

  missed(ticket: Ticket, nowMs: number): void {
    this.#end(ticket)
    this.#missesInARow++
    if (this.#missesInARow >= this.#options.misses) this.#closedUntilMs = nowMs + this.#options.restMs
  }

  /** The wait ended for a reason that says nothing about the dependency. */
  undecided(ticket: Ticket): void {
    this.#end(ticket)
  }

  #end(ticket: Ticket): void {
    if (ticket === this.#trial) this.#trial = REFUSED
  }
}
