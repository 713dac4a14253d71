import type { Client } from '@elastic/elasticsearch'
import type { Producer } from '@freshet/adapters/kafka/producer.ts'
import type { Scope } from '@freshet/capture/scope.ts'
import type { Settings } from '@freshet/config/schema.ts'
import type { StageReport } from '@freshet/service/service.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import type { ChangeWriter } from './change-writer.ts'

/** What capture works with, in either mode. */
export interface CaptureWorld {
  readonly settings: Settings
  readonly client: Client
  readonly scope: Scope
  readonly writer: ChangeWriter
  /** Of cursors. */
  readonly producer: Pick<Producer, 'send'>
  readonly telemetry: Telemetry
  readonly clock: Clock
  readonly report: StageReport
  /** Stops the reading; what was read is still sent and acknowledged before `grace` aborts. */
  readonly signal: AbortSignal
  readonly grace: AbortSignal
}
