import { toFreshetError } from '@freshet/errors/errors.ts'
import type { Heartbeat } from '@freshet/records/heartbeat.ts'
import { type Clock, systemClock } from '@freshet/stage/clock.ts'
import type { StageReport } from './service.ts'

/** What an instance would say of itself right now. The stages and the harness write it, heartbeats read it. */
export class ServiceState implements StageReport {
  readonly #progress = new Map<string, number>()
  #status: Heartbeat['status'] = 'starting'
  #model: string | null = null
  #lastError: string | null = null
  #lastErrorAtMs: number | null = null
  readonly #clock: Pick<Clock, 'nowMs'>

  constructor(clock: Pick<Clock, 'nowMs'> = systemClock) {
    this.#clock = clock
  }

  progressed(stage: string, units: number): void {
    this.#progress.set(stage, (this.#progress.get(stage) ?? 0) + units)
  }

  usesModel(model: string): void {
    this.#model = model
  }

  running(): void {
    this.#status = 'running'
  }

  /** Stays until `running()` is said again; the error stays for whoever asks later. */
  failing(error: unknown): void {
    this.#status = 'failing'
    const { code, message } = toFreshetError(error)
    this.#lastError = `${code}: ${message}`
    this.#lastErrorAtMs = this.#clock.nowMs()
  }

  /** The last word of an orderly end: silence after it is no alarm. After a failure the failure stays the last word. */
  stopping(): void {
    if (this.#status !== 'failing') this.#status = 'stopping'
  }

  snapshot(): Pick<Heartbeat, 'status' | 'progress' | 'model' | 'lastError' | 'lastErrorAtMs'> {
    return {
      status: this.#status,
      progress: Object.fromEntries(this.#progress),
      model: this.#model,
      lastError: this.#lastError,
      lastErrorAtMs: this.#lastErrorAtMs,
    }
  }
}
