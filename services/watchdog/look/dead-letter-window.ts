import type { Heartbeat } from '@freshet/records/heartbeat.ts'
import type { MetricName } from '@freshet/telemetry/metrics-table.ts'

const DEAD_ROWS: readonly MetricName[] = ['freshet.poller.dead', 'freshet.scorer.dead']

/** How the counters of dead letters have grown lately. A counter that is met for the first time has not grown. */
export class DeadLetterWindow {
  readonly #windowMs: number
  readonly #counts = new Map<string, number>()
  #growth: { readonly instance: string; readonly atMs: number; readonly rows: number }[] = []

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  hear({ instance, metrics }: Heartbeat, atMs: number): void {
    const count = DEAD_ROWS.reduce((sum, name) => sum + (metrics[name] ?? 0), 0)
    const rows = count - (this.#counts.get(instance) ?? count)
    this.#counts.set(instance, count)
    if (rows > 0) this.#growth.push({ instance, atMs, rows })
  }

  forget(instance: string): void {
    this.#counts.delete(instance)
  }

  /** Rows by instance; only those that grew. */
  recent(nowMs: number): ReadonlyMap<string, number> {
    this.#growth = this.#growth.filter(({ atMs }) => nowMs - atMs < this.#windowMs)
    const sums = new Map<string, number>()
    for (const { instance, rows } of this.#growth) sums.set(instance, (sums.get(instance) ?? 0) + rows)
    return sums
  }
}
