import { quietLog } from '@freshet/stage/quiet-log.ts'
import { trace } from '@opentelemetry/api'
import { Metrics } from './metrics.ts'
import type { Telemetry } from './telemetry.ts'
import { ChosenIds } from './traced/chosen-ids.ts'
import { DocumentNames } from './traced/document-names.ts'
import { TracedDocuments } from './traced/traced-documents.ts'

/** Telemetry that reaches nobody, but for the parts in which a test listens. */
export function quietTelemetry(heard: Partial<Telemetry> = {}): Telemetry {
  const tracer = trace.getTracer('test')
  const names = new DocumentNames('test', undefined)
  return {
    log: quietLog,
    tracer,
    metrics: new Metrics(),
    traced: new TracedDocuments({ tracer, ids: new ChosenIds(), names, oneIn: 0 }),
    [Symbol.asyncDispose]: async () => {},
    ...heard,
  }
}
