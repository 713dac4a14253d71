import type { InstanceFacts } from '@freshet/records/facts.ts'
import { type Heartbeat, heartbeatKey } from '@freshet/records/heartbeat.ts'
import { CounterGrowth } from './counter-growth.ts'

interface Voice {
  readonly heartbeat: Heartbeat
  readonly heardAtMs: number
  readonly growth: CounterGrowth
}

/** What the instances of a pipeline said last, and how their counters have grown. */
export class Heard {
  readonly #listeningSinceMs: number
  readonly #voices = new Map<string, Voice>()
  #isUpToDate = false

  constructor(listeningSinceMs: number) {
    this.#listeningSinceMs = listeningSinceMs
  }

  /**
   * What was said before we listened was heard when it was said; from then on our own clock counts. The heartbeats of an
   * instance come in the order of Kafka, and the last one is its last word: its own clock may be set back.
   * @param said.atMs by the clock of whoever said it
   */
  hear(heartbeat: Heartbeat, said: { readonly atMs: number; readonly nowMs: number }): void {
    const name = heartbeatKey(heartbeat.service, heartbeat.instance)
    const known = this.#voices.get(name)
    const isOld = !this.#isUpToDate && said.atMs < this.#listeningSinceMs
    const heardAtMs = isOld ? said.atMs : said.nowMs
    const isSameRun = known?.heartbeat.startedAtMs === heartbeat.startedAtMs
    const growth = isSameRun ? known.growth : new CounterGrowth(heartbeat.startedAtMs)
    growth.hear(heartbeat, heardAtMs)
    this.#voices.set(name, { heartbeat, heardAtMs, growth })
  }

  /** All that was said before we listened is heard. */
  upToDate(): void {
    this.#isUpToDate = true
  }

  get isUpToDate(): boolean {
    return this.#isUpToDate
  }

  forgetBefore(atMs: number): void {
    for (const [name, { heardAtMs }] of this.#voices) if (heardAtMs < atMs) this.#voices.delete(name)
  }

  instances(nowMs: number): InstanceFacts[] {
    return [...this.#voices.values()].map(({ heartbeat, heardAtMs, growth }) => ({
      heartbeat,
      heardAtMs,
      ...growth.since(nowMs),
    }))
  }
}
