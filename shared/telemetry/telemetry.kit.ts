import { quietLog } from '@freshet/stage/quiet-log.ts'
import { trace } from '@opentelemetry/api'
import { Metrics } from './metrics.ts'
import type { Telemetry } from './telemetry.ts'

/** Telemetry that reaches nobody, but for the parts in which a test listens. */
export function quietTelemetry(heard: Partial<Telemetry> = {}): Telemetry {
  return {
    log: quietLog,
    tracer: trace.getTracer('test'),
    metrics: new Metrics(),
    [Symbol.asyncDispose]: async () => {},
    ...heard,
  }
}
