import { sumLag } from '@freshet/adapters/kafka/lag.ts'
import type { Facts } from '@freshet/records/facts.ts'
import type { Metrics } from '@freshet/telemetry/metrics.ts'

/** The lag of each consumer group as metrics, for those who draw it; no figures in place of old ones while Kafka is away. */
export function tellLag(
  metrics: Pick<Metrics, 'setEach'>,
  { kafka, groups }: Pick<Facts, 'kafka' | 'groups'>,
): void {
  const lags =
    kafka.fault === null ? groups.map((group) => [group.groupId, sumLag(group.partitions)] as const) : []
  metrics.setEach('freshet.lag.time', new Map(lags.map(([groupId, { lagSeconds }]) => [groupId, lagSeconds])))
  metrics.setEach(
    'freshet.lag.messages',
    new Map(lags.map(([groupId, { lagRecords }]) => [groupId, lagRecords])),
  )
}
