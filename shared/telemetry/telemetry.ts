import type { Log } from '@freshet/stage/log.ts'
import type { Tracer } from '@opentelemetry/api'
import type { Metrics } from './metrics.ts'
import type { TracedDocuments } from './traced/traced-documents.ts'

/** What a service tells the world with. Disposing flushes within a deadline. */
export interface Telemetry extends AsyncDisposable {
  readonly log: Log
  readonly tracer: Tracer
  readonly metrics: Metrics
  /** Those whose way is followed from the poll to the gateway. */
  readonly traced: TracedDocuments
}
