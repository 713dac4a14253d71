import { addToShadowReport } from '@freshet/model/shadow/stored-report.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { type Comparison, ShadowBook } from './shadow-book.ts'

const REPORT_EVERY_MS = 60_000

export interface ReportsDeps {
  readonly store: ObjectStore
  readonly clock: Pick<Clock, 'nowMs'>
  readonly metrics: Telemetry['metrics']
  /** Rows that the shadow was too slow for, since this was asked last. */
  readonly takeSkipped: () => number
  readonly complain: (what: string, error: unknown) => void
}

/** Reports to S3 what was seen of a shadow. What does not get through is reported the next time. */
export class ShadowReports {
  readonly #deps: ReportsDeps
  #book: ShadowBook | null = null
  #dueAtMs = 0

  constructor(deps: ReportsDeps) {
    this.#deps = deps
  }

  /** Where what is seen of it is written down. Another promoted model is another comparison: the one before is reported. */
  async bookOf(comparison: Comparison, outputs: readonly string[], signal: AbortSignal): Promise<ShadowBook> {
    if (this.#book?.comparison.current === comparison.current) return this.#book
    await this.report(signal)
    this.#book = new ShadowBook(comparison, outputs, Math.random)
    return this.#book
  }

  async reportWhenDue(signal: AbortSignal): Promise<void> {
    const nowMs = this.#deps.clock.nowMs()
    if (nowMs < this.#dueAtMs) return
    this.#dueAtMs = nowMs + REPORT_EVERY_MS
    await this.report(signal)
  }

  /** What was seen since the last time. */
  async report(signal: AbortSignal): Promise<void> {
    const { store, clock, metrics, takeSkipped, complain } = this.#deps
    const skipped = takeSkipped()
    metrics.add('freshet.shadow.skipped', skipped)
    if (this.#book === null) return
    if (skipped > 0) this.#book.skipped(skipped, clock.nowMs())
    const report = this.#book.report()
    if (report === null) return
    try {
      await addToShadowReport(store, report, signal)
      this.#book = new ShadowBook(this.#book.comparison, this.#book.outputs, Math.random)
    } catch (error) {
      complain('the shadow’s report is not written', error)
    }
  }

  /** The next shadow begins with an empty book. */
  forget(): void {
    this.#book = null
  }
}
