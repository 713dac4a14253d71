import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { context, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api'
import { type Answered, isTally } from '../answered.ts'
import { type RateLimit, takeToken } from '../keys/token-bucket.ts'
import { answerAttributes, type EndedCall, type Ending } from './request-span.ts'

/** Lines at once after a pause. */
const BURST = 10

/**
 * The lines about answers: a few in a second, evenly over it while there are many, each with how many went by without one.
 * So the first requests that anybody tries are all there, and a thousand in a second cost no more than one.
 */
export class AnswerLines {
  readonly #telemetry: Pick<Telemetry, 'log' | 'traced'>
  readonly #limit: RateLimit
  #fullAtMs = 0
  #leftOut = 0

  constructor(telemetry: Pick<Telemetry, 'log' | 'traced'>, linesPerSecond: number) {
    this.#telemetry = telemetry
    this.#limit = { perSecond: linesPerSecond, burst: BURST }
  }

  /** Asked for every answer. @param nowMs of the monotonic clock */
  mayTell(nowMs: number): boolean {
    if (this.#limit.perSecond === 0) return false
    const taken = takeToken(this.#fullAtMs, nowMs, this.#limit)
    if (taken.isAllowed) this.#fullAtMs = taken.fullAtMs
    else this.#leftOut++
    return taken.isAllowed
  }

  /** @param span of the request: the line is told within it. */
  tell(answered: Answered, { route, deadline }: EndedCall, { status, endedAtMs }: Ending, span: Span): void {
    const { log, traced } = this.#telemetry
    const one = isTally(answered) ? answered.example : answered
    const tookMs = endedAtMs - deadline.acceptedAtMs
    const attributes = {
      [ATTRIBUTES.eventName]: 'freshet.answer',
      ...(one !== undefined && answerAttributes(one, traced)),
      ...(isTally(answered) && { [ATTRIBUTES.rows]: answered.asked }),
      [ATTRIBUTES.answerTookUs]: Math.round(tookMs * 1_000),
      [ATTRIBUTES.httpRoute]: route,
      [ATTRIBUTES.httpStatus]: status,
      ...(this.#leftOut > 0 && { [ATTRIBUTES.answersLeftOut]: this.#leftOut }),
    }
    this.#leftOut = 0
    const from = one === undefined ? 'nothing' : `from ${one.source}`
    const line = `answered ${from} in ${tookMs.toFixed(1)} ms`
    context.with(trace.setSpan(ROOT_CONTEXT, span), () => log.info(line, attributes))
  }
}
