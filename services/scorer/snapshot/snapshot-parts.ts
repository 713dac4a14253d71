import type { Settings } from '@freshet/config/schema.ts'
import type { StageReport } from '@freshet/service/service.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import type { Publisher } from './publish.ts'

/** What the snapshot worker works with, whatever it writes. */
export interface SnapshotParts extends Publisher {
  readonly settings: Settings['snapshot']
  readonly telemetry: Telemetry
  readonly report: StageReport
}
