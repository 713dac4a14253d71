import { ANSWER_SOURCES, type AnswerSource } from '@freshet/records/answer.ts'
import { PerSecond } from '@freshet/stage/per-second.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { type Answered, isTally } from './answered.ts'
import { Durations } from './metrics/durations.ts'
import { AnswerLines } from './traces/answer-lines.ts'
import { AnswerTraces } from './traces/answer-traces.ts'
import { type EndedCall, type Ending, leaveRequestSpan } from './traces/request-span.ts'

/** What requests are counted under of which no route is known. */
export const ANY_ROUTE = '/v1/*'

export interface RecordOptions {
  /** Of good answers, those that leave a span. */
  readonly share: number
  /** At most so many of good answers, and as many of the others and for traced documents; what is beyond is only counted. */
  readonly spansPerSecond: number
  /** Answers that are logged. */
  readonly linesPerSecond: number
  readonly random: () => number
  /** Told of every call that is over, however it ended. */
  readonly onEnded: () => void
}

/**
 * Counts every answer, and leaves a span of those that are degraded, late or failed, of those that are logged and of a
 * share of the rest. The span is made only then: most requests pay for a few additions, and while a store is away, so do
 * nearly all of them.
 */
export class RequestRecord {
  readonly durations = new Durations()
  readonly traces: AnswerTraces
  readonly #telemetry: Telemetry
  readonly #options: RecordOptions
  readonly #lines: AnswerLines
  readonly #goodSpans: PerSecond
  /** Of their own: a flood of good answers takes no place from one that went wrong. */
  readonly #otherSpans: PerSecond

  constructor(telemetry: Telemetry, options: RecordOptions) {
    this.traces = new AnswerTraces(telemetry.traced)
    this.#telemetry = telemetry
    this.#options = options
    this.#lines = new AnswerLines(telemetry, options.linesPerSecond)
    this.#goodSpans = new PerSecond(options.spansPerSecond)
    this.#otherSpans = new PerSecond(options.spansPerSecond)
  }

  keep(call: EndedCall, status: number): void {
    const { metrics } = this.#telemetry
    const { answered } = call
    const endedAtMs = performance.now()
    const isLate = endedAtMs > call.deadline.endsAtMs
    this.#options.onEnded()
    metrics.add('freshet.requests.received')
    const isDegraded = answered !== undefined && this.#count(answered)
    if (isLate && answered !== undefined) metrics.add('freshet.answers.late', answersIn(answered))
    const source = sourceOf(answered)
    const tookMs = endedAtMs - call.deadline.acceptedAtMs
    this.durations.add({ method: call.request.method, route: call.route, status, source, tookMs })
    metrics.record('freshet.answer.duration', tookMs / 1_000, source)
    const isGood = !isDegraded && !isLate && status < 500
    const isTold = answered !== undefined && this.#lines.mayTell(endedAtMs)
    const leavesSpan = isGood
      ? this.#options.random() < this.#options.share && this.#mayLeave(this.#goodSpans, endedAtMs)
      : this.#mayLeave(this.#otherSpans, endedAtMs)
    if (isTold || leavesSpan || call.traced !== undefined)
      this.#leave(call, { status, isLate, endedAtMs, endedWallMs: Date.now() }, { isTold, leavesSpan })
  }

  /** One that was refused at the door, before anybody looked at what it asks for. */
  refused({ method, tookMs }: { readonly method: string; readonly tookMs: number }): void {
    this.#telemetry.metrics.add('freshet.requests.received')
    this.#telemetry.metrics.add('freshet.requests.refused')
    this.durations.add({ method, route: ANY_ROUTE, status: 503, source: 'none', tookMs })
  }

  #leave(
    call: EndedCall,
    ending: Ending,
    { isTold, leavesSpan }: { readonly isTold: boolean; readonly leavesSpan: boolean },
  ): void {
    const span = isTold || leavesSpan ? leaveRequestSpan(this.#telemetry, call, ending) : undefined
    if (isTold) this.#lines.tell(call.answered!, call, ending, span!)
    for (const one of call.traced ?? [])
      if (this.#mayLeave(this.#otherSpans, ending.endedAtMs)) this.traces.leave(one, call, ending, span)
  }

  #mayLeave(spans: PerSecond, nowMs: number): boolean {
    if (spans.take(nowMs)) return true
    this.#telemetry.metrics.add('freshet.requests.untraced')
    return false
  }

  /** @returns whether any answer is degraded. */
  #count(answered: Answered): boolean {
    const { metrics } = this.#telemetry
    if (!isTally(answered)) {
      metrics.add('freshet.answers', 1, answered.source)
      if (answered.degraded) metrics.add('freshet.answers.degraded', 1, answered.reason!)
      return answered.degraded
    }
    for (const [source, answers] of Object.entries(answered.bySource))
      if (answers > 0) metrics.add('freshet.answers', answers, source as AnswerSource)
    for (const [reason, answers] of answered.byReason ?? [])
      metrics.add('freshet.answers.degraded', answers, reason)
    return answered.degraded > 0
  }
}

/** One request may ask for many, which are late together. */
function answersIn(answered: Answered): number {
  if (!isTally(answered)) return 1
  return Object.values(answered.bySource).reduce((sum, answers) => sum + answers, 0)
}

function sourceOf(answered: Answered | undefined): AnswerSource | 'mixed' | 'none' {
  if (answered === undefined) return 'none'
  if (!isTally(answered)) return answered.source
  const sources = ANSWER_SOURCES.filter((source) => answered.bySource[source] > 0)
  return sources.length > 1 ? 'mixed' : (sources[0] ?? 'none')
}
