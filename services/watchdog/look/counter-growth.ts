/** How the counters of an instance have grown lately, from its heartbeats: for rates, and for rules about a while. Pure. */
import type { InstanceFacts } from '@freshet/records/facts.ts'
import type { Heartbeat } from '@freshet/records/heartbeat.ts'
import { isCounter } from '@freshet/telemetry/metrics.ts'

type Growth = InstanceFacts['lastMinute']

const RATE_MS = 10_000
const MINUTE_MS = 60_000
const FIVE_MINUTES_MS = 300_000
/** Samples closer together than this are one: memory is spent on counters, not on heartbeats. */
const THIN_MS = 2_000

interface Sample {
  readonly heardAtMs: number
  /** By the clock of the instance, which alone says how long it took to count so far, as if it were never set back. */
  readonly atMs: number
  /** Those above 0. */
  readonly counters: ReadonlyMap<string, number>
}

/** One run of one instance: another one under the same name counts from 0 again. */
export class CounterGrowth {
  readonly #startedAtMs: number
  /** Oldest first; the first one is at least five minutes old, or the first that was heard. */
  #samples: Sample[] = []
  /** By how much its clock was set back since. */
  #setBackMs = 0

  constructor(startedAtMs: number) {
    this.#startedAtMs = startedAtMs
  }

  hear({ atMs, metrics }: Heartbeat, heardAtMs: number): void {
    const counters = new Map(Object.entries(metrics).filter(([name, value]) => value > 0 && isCounter(name)))
    const last = this.#samples.at(-1)
    if (last !== undefined && atMs + this.#setBackMs < last.atMs)
      this.#setBackMs = last.atMs + heardAtMs - last.heardAtMs - atMs
    const before = this.#samples.at(-2)
    if (before !== undefined && heardAtMs - before.heardAtMs < THIN_MS) this.#samples.pop()
    this.#samples.push({ heardAtMs, atMs: atMs + this.#setBackMs, counters })
  }

  since(nowMs: number): Pick<InstanceFacts, 'perSecond' | 'lastMinute' | 'lastFiveMinutes'> {
    this.#forget(nowMs - FIVE_MINUTES_MS)
    const rate = this.#growth(nowMs, RATE_MS)
    const perSecond = Object.entries(rate.by).map(([name, count]) => [name, count / rate.seconds])
    return {
      perSecond: Object.fromEntries(perSecond),
      lastMinute: this.#growth(nowMs, MINUTE_MS),
      lastFiveMinutes: this.#growth(nowMs, FIVE_MINUTES_MS),
    }
  }

  #forget(beforeMs: number): void {
    const first = this.#samples.findLastIndex(({ heardAtMs }) => heardAtMs <= beforeMs)
    if (first > 0) this.#samples = this.#samples.slice(first)
  }

  #growth(nowMs: number, withinMs: number): Growth {
    const last = this.#samples.at(-1)
    if (last === undefined) return { seconds: 0, by: {} }
    const base =
      this.#samples.findLast(({ heardAtMs }) => heardAtMs <= nowMs - withinMs) ?? this.#first(nowMs, withinMs)
    const grown = [...last.counters]
      .map(([name, count]) => [name, count - (base.counters.get(name) ?? 0)] as const)
      .filter(([, count]) => count > 0)
    return { seconds: (last.atMs - base.atMs) / 1_000, by: Object.fromEntries(grown) }
  }

  /** What an instance counted that began within the time, it counted within the time; of another one we know it since we listen. */
  #first(nowMs: number, withinMs: number): Sample {
    const last = this.#samples.at(-1)!
    const beganMs = last.heardAtMs - (last.atMs - this.#startedAtMs)
    if (beganMs < nowMs - withinMs) return this.#samples[0]!
    return { heardAtMs: beganMs, atMs: this.#startedAtMs, counters: new Map() }
  }
}
