import type { Settings } from '@freshet/config/schema.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'

/** What the harness (run-service.ts) hands to a service. */
export interface ServiceContext {
  readonly settings: Settings
  /** Unique among living processes, e.g. `scorer-4711`. */
  readonly instance: string
  readonly telemetry: Telemetry
  /** Aborts on SIGTERM or SIGINT: finish what is in hand within 10 s. */
  readonly signal: AbortSignal
  /** Tells heartbeats how far a stage is; called at any time. */
  readonly report: StageReport
}

export interface StageReport {
  /** Adds units of work to a stage's progress, e.g. `infer`. */
  progressed(stage: string, units: number): void
  /** `name@version` of the model in use. */
  usesModel(model: string): void
}

/** A service works until the signal aborts; it rejects when it cannot go on. `main.ts` of each exports one. */
export type Service = (context: ServiceContext) => Promise<void>
