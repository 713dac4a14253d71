import type { Answer, AnswerSource } from '@freshet/records/answer.ts'

/** Many answers of one request, summed up. */
export interface AnswerTally {
  /** What was asked for, found or not. */
  readonly asked: number
  readonly bySource: Readonly<Record<AnswerSource, number>>
  readonly degraded: number
  /** Of the first that is degraded. */
  readonly reason: string | undefined
  /** Of the oldest; null when none has an age. */
  readonly oldestMs: number | null
}

/** Sums up answers as they come. */
export class Tally implements AnswerTally {
  readonly asked: number
  readonly bySource = { live: 0, cache: 0, snapshot: 0, default: 0 }
  degraded = 0
  reason: string | undefined = undefined
  oldestMs: number | null = null

  constructor(asked: number) {
    this.asked = asked
  }

  /** Of the whole, whatever its answers say: when none of them is degraded, or none is there, it counts as one. */
  because(reason: string): void {
    this.degraded ||= 1
    this.reason = reason
  }

  add({ source, age_ms, degraded, reason }: Answer): void {
    this.bySource[source]++
    if (age_ms !== null && age_ms > (this.oldestMs ?? -1)) this.oldestMs = age_ms
    if (!degraded) return
    this.degraded++
    this.reason ??= reason
  }
}
