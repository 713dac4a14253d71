import type { ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import type { TraceContext } from '@freshet/records/change.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'

/** A span around one page read from a shard or sent to Kafka. Its context travels in the page's changes. */
export async function tracePage<T>(
  { tracer }: Telemetry,
  doing: 'read' | 'send',
  { index, shard }: ShardView,
  work: (trace: TraceContext) => Promise<T>,
): Promise<T> {
  const span = tracer.startSpan(`${doing} ${index}/${shard}`, {
    kind: doing === 'read' ? SpanKind.CLIENT : SpanKind.PRODUCER,
    attributes: { 'freshet.stage': 'capture', 'freshet.source.index': index, 'freshet.source.shard': shard },
  })
  try {
    const { traceId, spanId } = span.spanContext()
    return await work({ traceId, spanId })
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) })
    throw error
  } finally {
    span.end()
  }
}
