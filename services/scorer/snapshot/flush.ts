import type { Lease } from '@freshet/adapters/kafka/consumer.ts'
import { isFreshetError } from '@freshet/errors/errors.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { timed } from '@freshet/telemetry/batches.ts'
import { inSpan, linksTo, traceContextOf } from '@freshet/telemetry/spans.ts'
import type { Span } from '@opentelemetry/api'
import type { TakenScores } from './held-scores.ts'
import type { OwnPartitions } from './own-partitions.ts'
import { publish } from './publish.ts'
import { scoresToDelta } from './scores-to-delta.ts'
import type { SnapshotParts } from './snapshot-parts.ts'

/**
 * Writes what was taken as one delta a partition, in one commit; then tells Kafka how far the snapshot is.
 * @throws MANIFEST_FENCED, DEADLINE; errors a retry cannot help
 */
export async function writeDeltas(
  own: OwnPartitions,
  taken: readonly TakenScores[],
  parts: SnapshotParts,
  signal: AbortSignal,
): Promise<void> {
  const { telemetry, report } = parts
  const rows = taken.reduce((sum, one) => sum + one.rows, 0)
  const shape = {
    name: 'write snapshot deltas',
    attributes: { [ATTRIBUTES.stage]: 'snapshot', [ATTRIBUTES.rows]: rows },
    links: linksTo(taken.flatMap(({ origins }) => origins)),
  }
  const write = async (span: Span) => {
    await publish(parts, own, taken.map(scoresToDelta), { write: signal, commit: signal })
    telemetry.metrics.add('freshet.snapshot.rows', rows)
    telemetry.metrics.add('freshet.snapshot.commits')
    report.progressed('snapshot', rows)
    const endedAtMs = parts.clock.nowMs()
    for (const { traced } of taken)
      for (const { score, sinceMs } of traced)
        telemetry.traced.leave({
          ...score,
          ...{ step: 'snapshot', after: 'score', beganAtMs: sinceMs, endedAtMs },
          together: [traceContextOf(span)],
        })
    for (const { lease, nextOffset } of taken) await tellKafka(lease, nextOffset)
  }
  await timed(telemetry.metrics, 'snapshot', () => inSpan(telemetry.tracer, shape, write))
}

/** Positions are the manifest's: when the membership is over, Kafka shows an older one until the next owner commits. */
async function tellKafka(lease: Lease, nextOffset: number): Promise<void> {
  try {
    await lease.commit(nextOffset)
  } catch (error) {
    if (!isFreshetError(error, 'KAFKA_STALE')) throw error
  }
}
