import type { Settings } from '@freshet/config/schema.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'

/** What the harness (run-service.ts) hands to a service. */
export interface ServiceContext {
  readonly settings: Settings
  /** Unique among living processes of all machines, e.g. `scorer-box1-4711`. */
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
  /** The work of this worker stands still because of this; it is tried again. */
  failing(worker: string, error: unknown): void
  /** The work of this worker goes on; of the others it says nothing. */
  running(worker: string): void
}

/** What `main.ts` of each service exports. */
export interface Service {
  /**
   * Looks at what the service cannot begin without: servers that answer, topics and index as they must be.
   * @throws with what someone has to mend
   */
  check(context: ServiceContext): Promise<void>
  /** Works until the signal aborts; rejects when it cannot go on. */
  run(context: ServiceContext): Promise<void>
}
