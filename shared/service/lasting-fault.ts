import { type FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { StageReport } from './service.ts'

export interface LastingFaultOptions {
  readonly worker: string
  /** A fault that is over sooner is nobody's alarm. */
  readonly patienceMsOf: (fault: FreshetError) => number
  readonly clock: Pick<Clock, 'nowMs'>
}

/** Tells the harness that a worker is failing once it has found a fault at every look for a while, and when it is over. */
export class LastingFault {
  readonly #report: Pick<StageReport, 'failing' | 'running'>
  readonly #options: LastingFaultOptions
  #sinceMs: number | null = null
  #isTold = false

  constructor(report: Pick<StageReport, 'failing' | 'running'>, options: LastingFaultOptions) {
    this.#report = report
    this.#options = options
  }

  /** @param error of this look; undefined: it found all well */
  looked(error: unknown): void {
    const { worker, patienceMsOf, clock } = this.#options
    if (error === undefined) {
      if (this.#isTold) this.#report.running(worker)
      this.#isTold = false
      this.#sinceMs = null
      return
    }
    this.#sinceMs ??= clock.nowMs()
    const fault = toFreshetError(error)
    if (!this.#isTold && clock.nowMs() - this.#sinceMs < patienceMsOf(fault)) return
    this.#isTold = true
    this.#report.failing(worker, fault)
  }
}
