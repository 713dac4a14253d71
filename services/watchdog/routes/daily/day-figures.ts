/** What a pipeline did since the last daily line, counted from the heartbeats of whoever did it. */
import { ANSWER_SOURCES } from '@freshet/records/answer.ts'
import type { Facts } from '@freshet/records/facts.ts'

/** Counters that are summed up, by their name in heartbeats. */
const COUNTED = [
  'freshet.poller.changes',
  'freshet.scorer.scored',
  'freshet.scorer.dead',
  'freshet.poller.dead',
  'freshet.answers.late',
  ...ANSWER_SOURCES.map((source) => `freshet.answers.${source}` as const),
] as const
type Counted = (typeof COUNTED)[number]

export interface DayFigures {
  readonly fromMs: number
  readonly toMs: number
  readonly counts: Readonly<Record<Counted, number>>
  /** From the poller to Redis, of the last minute; null where nothing is new. */
  readonly freshness: { readonly p50Seconds: number; readonly p99Seconds: number } | null
  /** The highest p99 of a minute since then. */
  readonly worstFreshness: { readonly seconds: number; readonly atMs: number } | null
  /** The longest that a record has waited since then, over all consumer groups. */
  readonly worstLag: { readonly seconds: number; readonly atMs: number; readonly groupId: string } | null
}

/**
 * Adds up what counters of heartbeats have grown by, look by look. What an instance counted before anybody listened is no
 * growth; what one counted that started since then is. It begins anew with each watchdog, which the line says.
 */
export class DayTally {
  #fromMs: number
  readonly #beganMs: number
  readonly #seen = new Map<string, Readonly<Record<string, number>>>()
  #counts = zero()
  #freshness: DayFigures['freshness'] = null
  #worstFreshness: DayFigures['worstFreshness'] = null
  #worstLag: DayFigures['worstLag'] = null

  constructor(nowMs: number) {
    this.#fromMs = nowMs
    this.#beganMs = nowMs
  }

  looked(facts: Facts): void {
    const there = new Set<string>()
    for (const { heartbeat } of facts.instances) {
      const name = `${heartbeat.service}/${heartbeat.instance}/${heartbeat.startedAtMs}`
      there.add(name)
      this.#count(name, heartbeat)
    }
    for (const name of this.#seen.keys()) if (!there.has(name)) this.#seen.delete(name)
    this.#judgeFreshness(facts)
    this.#judgeLag(facts)
  }

  figures(nowMs: number): DayFigures {
    return {
      ...{ fromMs: this.#fromMs, toMs: nowMs, counts: { ...this.#counts }, freshness: this.#freshness },
      ...{ worstFreshness: this.#worstFreshness, worstLag: this.#worstLag },
    }
  }

  /** What comes belongs to the next line. */
  startAnew(nowMs: number): void {
    this.#fromMs = nowMs
    this.#counts = zero()
    this.#worstFreshness = this.#worstLag = null
  }

  #count(
    name: string,
    { metrics, startedAtMs }: { metrics: Readonly<Record<string, number>>; startedAtMs: number },
  ): void {
    const before = this.#seen.get(name) ?? (startedAtMs >= this.#beganMs ? {} : metrics)
    for (const counter of COUNTED)
      this.#counts[counter] += Math.max(0, (metrics[counter] ?? 0) - (before[counter] ?? 0))
    this.#seen.set(name, metrics)
  }

  #judgeFreshness({ instances, atMs }: Facts): void {
    const told = instances.flatMap(({ heartbeat: { metrics } }) => {
      const [p50, p99] = [metrics['freshet.cache.freshness.p50'], metrics['freshet.cache.freshness.p99']]
      return p50 === undefined || p99 === undefined ? [] : [{ p50Seconds: p50, p99Seconds: p99 }]
    })
    this.#freshness = told.reduce<DayFigures['freshness']>(
      (worst, each) => (worst === null || each.p99Seconds > worst.p99Seconds ? each : worst),
      null,
    )
    const seconds = this.#freshness?.p99Seconds ?? 0
    if (seconds > (this.#worstFreshness?.seconds ?? 0)) this.#worstFreshness = { seconds, atMs }
  }

  #judgeLag({ groups, atMs }: Facts): void {
    for (const { groupId, partitions } of groups)
      for (const { lagSeconds: seconds } of partitions)
        if (seconds > (this.#worstLag?.seconds ?? 0)) this.#worstLag = { seconds, atMs, groupId }
  }
}

function zero(): Record<Counted, number> {
  return Object.fromEntries(COUNTED.map((counter) => [counter, 0])) as Record<Counted, number>
}
