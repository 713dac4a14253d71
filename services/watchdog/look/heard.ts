import { type Heartbeat, heartbeatKey } from '@freshet/records/heartbeat.ts'
import type { Instance } from '../rules/judge.ts'
import { DeadLetterWindow } from './dead-letter-window.ts'

const DEAD_LETTERS_WINDOW_MS = 300_000

/** What the instances of a pipeline said last. */
export class Heard {
  readonly #listeningSinceMs: number
  readonly #instances = new Map<string, Instance>()
  readonly #deadLetters = new DeadLetterWindow(DEAD_LETTERS_WINDOW_MS)

  constructor(listeningSinceMs: number) {
    this.#listeningSinceMs = listeningSinceMs
  }

  /**
   * What was said before we listened was heard when it was said; from then on our own clock counts.
   * @param said.atMs when Kafka got it
   */
  hear(heartbeat: Heartbeat, said: { readonly atMs: number; readonly nowMs: number }): void {
    const name = heartbeatKey(heartbeat.service, heartbeat.instance)
    const known = this.#instances.get(name)
    if (known !== undefined && known.heartbeat.atMs >= heartbeat.atMs) return
    const heardAtMs = said.atMs < this.#listeningSinceMs ? said.atMs : said.nowMs
    this.#instances.set(name, { heartbeat, heardAtMs })
    this.#deadLetters.hear(heartbeat, heardAtMs)
  }

  forgetBefore(atMs: number): void {
    for (const [name, { heartbeat, heardAtMs }] of this.#instances) {
      if (heardAtMs >= atMs) continue
      this.#instances.delete(name)
      this.#deadLetters.forget(heartbeat.instance)
    }
  }

  instances(): readonly Instance[] {
    return [...this.#instances.values()]
  }

  /** Rows that went to the dead letters lately, by instance. */
  recentDeadRows(nowMs: number): ReadonlyMap<string, number> {
    return this.#deadLetters.recent(nowMs)
  }
}
