import type { Answer, AnswerSource } from '@freshet/records/answer.ts'
import type { Reason } from '@freshet/records/reasons.ts'

/** Many answers of one request, summed up. */
export interface AnswerTally {
  /** What was asked for, found or not. */
  readonly asked: number
  readonly bySource: Readonly<Record<AnswerSource, number>>
  readonly degraded: number
  /** Of the first that is degraded. */
  readonly reason: Reason | undefined
  /** How many are degraded for each; most requests have none, and pay nothing for it. */
  readonly byReason: ReadonlyMap<Reason, number> | undefined
  /** Of the oldest; null when none has an age. */
  readonly oldestMs: number | null
  /** When the first of the degraded ones was made, on the monotonic clock. */
  readonly fellBackAtMs: number | undefined
  /** One of them: what is told of a single one is told of it. */
  readonly example: Answer | undefined
}

/** Sums up answers as they come. */
export class Tally implements AnswerTally {
  readonly asked: number
  readonly bySource = { live: 0, cache: 0, snapshot: 0, default: 0 }
  degraded = 0
  reason: Reason | undefined = undefined
  byReason: Map<Reason, number> | undefined = undefined
  oldestMs: number | null = null
  fellBackAtMs: number | undefined = undefined
  example: Answer | undefined = undefined

  constructor(asked: number) {
    this.asked = asked
  }

  /** Of the whole, whatever its answers say: when none of them is degraded, or none is there, it counts as one. */
  because(reason: Reason): void {
    if (this.degraded === 0) this.#degradedFor(reason)
    this.reason = reason
  }

  add(answer: Answer): void {
    const { source, age_ms, degraded, reason } = answer
    this.example ??= answer
    this.bySource[source]++
    if (age_ms !== null && age_ms > (this.oldestMs ?? -1)) this.oldestMs = age_ms
    if (!degraded) return
    this.fellBackAtMs ??= performance.now()
    this.#degradedFor(reason!)
  }

  #degradedFor(reason: Reason): void {
    this.degraded++
    this.reason ??= reason
    this.byReason ??= new Map()
    this.byReason.set(reason, (this.byReason.get(reason) ?? 0) + 1)
  }
}
