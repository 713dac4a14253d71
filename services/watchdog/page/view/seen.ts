import type { Facts, InstanceFacts } from '@freshet/records/facts.ts'
import type { MetricName } from '@freshet/telemetry/metrics-table.ts'
import { sumOf } from '../../rules/living.ts'
import { type ListedInstance, listInstances } from './listed-instances.ts'

/** By `name` or `name.label`, as heartbeats have it. */
export type Entry = MetricName | `${MetricName}.${string}`

/** The instances of a look: all that are listed, and what those that live say. */
export class Seen {
  readonly listed: readonly ListedInstance[]
  readonly #living: readonly InstanceFacts[]

  constructor(facts: Facts | null, { nowMs, silentSeconds }: { nowMs: number; silentSeconds: number }) {
    const all = facts?.instances ?? []
    this.listed = listInstances(all, { nowMs, silentSeconds })
    const living = new Set(
      this.listed.filter(({ status }) => status !== 'gone' && status !== 'silent').map(nameOf),
    )
    this.#living = all.filter(({ heartbeat }) => living.has(nameOf(heartbeat)))
  }

  living(service: string): readonly InstanceFacts[] {
    return this.#living.filter(({ heartbeat }) => heartbeat.service === service)
  }

  /** Of those that live together, by the second. */
  perSecond(...entries: readonly Entry[]): number {
    return this.#sum(entries, ({ perSecond }, entry) => perSecond[entry])
  }

  lastFiveMinutes(...entries: readonly Entry[]): number {
    return this.#sum(entries, ({ lastFiveMinutes }, entry) => lastFiveMinutes.by[entry])
  }

  /** In the last five minutes, for whatever reason; a gateway of an older build counts them without one. */
  degradedAnswers(): number {
    return this.#living.reduce(
      (sum, { lastFiveMinutes }) => sum + sumOf(lastFiveMinutes.by, 'freshet.answers.degraded'),
      0,
    )
  }

  /** Of gauges that each tells for itself. */
  total(entry: Entry): number {
    return this.#sum([entry], ({ heartbeat }) => heartbeat.metrics[entry])
  }

  /** Of gauges that each tells for all; null where nobody tells. */
  highest(entry: Entry): number | null {
    const told = this.#living.flatMap(({ heartbeat }) => heartbeat.metrics[entry] ?? [])
    return told.length === 0 ? null : Math.max(...told)
  }

  #sum(
    entries: readonly Entry[],
    read: (instance: InstanceFacts, entry: Entry) => number | undefined,
  ): number {
    return this.#living.reduce(
      (sum, instance) => sum + entries.reduce((part, entry) => part + (read(instance, entry) ?? 0), 0),
      0,
    )
  }
}

function nameOf({ service, instance }: { service: string; instance: string }): string {
  return `${service}/${instance}`
}
