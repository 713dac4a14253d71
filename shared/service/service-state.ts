import { toFreshetError } from '@freshet/errors/errors.ts'
import type { FailingWorker, Heartbeat } from '@freshet/records/heartbeat.ts'
import { type Clock, systemClock } from '@freshet/stage/clock.ts'
import type { StageReport } from './service.ts'

/** What an instance would say of itself right now. The stages and the harness write it, heartbeats read it. */
export class ServiceState implements StageReport {
  readonly #progress = new Map<string, number>()
  #orderly: Exclude<Heartbeat['status'], 'failing'> = 'starting'
  /** By worker; whoever fails last stands last. */
  readonly #failing = new Map<string, FailingWorker>()
  #lastFailure: FailingWorker | null = null
  #model: string | null = null
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

  running(worker: string): void {
    this.#failing.delete(worker)
    this.#orderly = 'running'
  }

  /** Stays until the same worker runs again; the error stays for whoever asks later. */
  failing(worker: string, error: unknown): void {
    const { code, message } = toFreshetError(error)
    this.#lastFailure = { worker, error: `${code}: ${message}`, atMs: this.#clock.nowMs() }
    this.#failing.delete(worker)
    this.#failing.set(worker, this.#lastFailure)
  }

  /** The last word of an orderly end, whichever workers were failing: silence after it is no alarm. */
  stopping(): void {
    this.#failing.clear()
    this.#orderly = 'stopping'
  }

  snapshot(): Pick<Heartbeat, 'status' | 'failing' | 'progress' | 'model' | 'lastError' | 'lastErrorAtMs'> {
    const failures = [...this.#failing.values()]
    const failure = failures.at(-1) ?? this.#lastFailure
    return {
      status: failures.length > 0 ? 'failing' : this.#orderly,
      ...(failures.length > 0 && { failing: failures }),
      progress: Object.fromEntries(this.#progress),
      model: this.#model,
      lastError: failure?.error ?? null,
      lastErrorAtMs: failure?.atMs ?? null,
    }
  }
}
