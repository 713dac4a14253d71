import type { Lease } from '@freshet/adapters/kafka/consumer.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { isFreshetError } from '@freshet/errors/errors.ts'
import type { StageReport } from '@freshet/service/service.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { inSpan } from '@freshet/telemetry/spans.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { deltasToBase, isMergeDue } from './deltas-to-base.ts'
import type { HeldScores, TakenScores } from './held-scores.ts'
import { type Publisher, publish } from './publish.ts'
import { scoresToDelta } from './scores-to-delta.ts'

export interface FlushParts extends Publisher {
  readonly settings: Settings['snapshot']
  readonly telemetry: Telemetry
  readonly report: StageReport
}

/**
 * Writes what was taken as one delta a partition, in one commit; then tells Kafka how far the snapshot is.
 * @throws MANIFEST_FENCED, DEADLINE; errors a retry cannot help
 */
export async function writeDeltas(
  held: HeldScores,
  taken: readonly TakenScores[],
  parts: FlushParts,
  signal: AbortSignal,
): Promise<void> {
  const { telemetry, report, clock } = parts
  const rows = taken.reduce((sum, one) => sum + one.rows, 0)
  const shape = {
    name: 'write snapshot deltas',
    attributes: { [ATTRIBUTES.stage]: 'snapshot', [ATTRIBUTES.rows]: rows },
  }
  await inSpan(telemetry.tracer, shape, async () => {
    const files = taken.map((one) => scoresToDelta(one, clock.nowMs()))
    const published = await publish(parts, files, signal)
    for (const [partition, now] of published) held.committed(partition, now)
    telemetry.metrics.add('freshet.snapshot.rows', rows)
    telemetry.metrics.add('freshet.snapshot.commits')
    report.progressed('snapshot', rows)
    for (const { lease, nextOffset } of taken) await tellKafka(lease, nextOffset)
  })
}

/** Positions are the manifest's: when the term is over, Kafka shows an older one until the next owner commits. */
async function tellKafka(lease: Lease, nextOffset: number): Promise<void> {
  try {
    await lease.commit(nextOffset)
  } catch (error) {
    if (!isFreshetError(error, 'KAFKA_STALE')) throw error
  }
}

/**
 * Writes a new base where one is due. A merge that fails for good is told and left: the snapshot stays whole without it,
 * in more files. One that is interrupted is due again later.
 * @throws MANIFEST_FENCED
 */
export async function mergeWhereDue(held: HeldScores, parts: FlushParts, signal: AbortSignal): Promise<void> {
  const { telemetry, settings, store, clock, log } = parts
  for (const [partition, expected] of held.inManifest()) {
    if (signal.aborted || !isMergeDue(expected, settings)) continue
    const rows = expected.deltas.reduce((sum, delta) => sum + delta.rows, expected.base?.rows ?? 0)
    const shape = {
      name: 'merge snapshot base',
      attributes: { [ATTRIBUTES.stage]: 'snapshot', [ATTRIBUTES.rows]: rows },
    }
    try {
      const base = deltasToBase(store, partition, { expected, nowMs: clock.nowMs() })
      const published = await inSpan(telemetry.tracer, shape, () => publish(parts, [base], signal))
      held.committed(partition, published.get(partition)!)
      telemetry.metrics.add('freshet.snapshot.commits')
      telemetry.metrics.add('freshet.snapshot.merges')
    } catch (error) {
      if (isFreshetError(error, 'MANIFEST_FENCED')) throw error
      if (!signal.aborted) log.error(`partition ${partition} of the snapshot cannot be merged`, error)
    }
  }
}
