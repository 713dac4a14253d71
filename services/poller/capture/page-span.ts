import type { ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import type { TraceContext } from '@freshet/records/change.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { inSpan, traceContextOf } from '@freshet/telemetry/spans.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { SpanKind } from '@opentelemetry/api'

/** A span around one page read from a shard or sent to Kafka. Its context travels in the page's changes. */
export function tracePage<T>(
  { tracer }: Telemetry,
  doing: 'read' | 'send',
  { index, shard }: Pick<ShardView, 'index' | 'shard'>,
  work: (trace: TraceContext | null) => Promise<T>,
): Promise<T> {
  const shape = {
    name: `${doing} ${index}/${shard}`,
    kind: doing === 'read' ? SpanKind.CLIENT : SpanKind.PRODUCER,
    attributes: {
      [ATTRIBUTES.stage]: 'capture',
      [ATTRIBUTES.sourceIndex]: index,
      [ATTRIBUTES.sourceShard]: shard,
    },
  }
  return inSpan(tracer, shape, (span) => work(traceContextOf(span)))
}
