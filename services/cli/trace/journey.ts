/** What became of a document: its spans, put together. */
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'

/** One span of a document, as `read-steps.ts` reads it. */
export interface SeenStep {
  /** `capture`, `score`, `cache`, `snapshot` or `answer`; another one from a later build. */
  readonly step: string
  readonly traceId: string
  readonly spanId: string
  /** Wall-clock milliseconds, of the machine that did it. */
  readonly beganAtMs: number
  readonly tookMs: number
  /** Since the poller saw the document until the step was done. */
  readonly ageMs: number
  readonly service: string
  readonly instance: string
  /** Why the document went no further. */
  readonly failure: { readonly code: string; readonly message: string } | null
  readonly attributes: Readonly<Record<string, string | number | boolean>>
}

/** The way of one revision of a document, or an answer that speaks of none that is known. */
export interface Journey {
  readonly traceId: string
  /** In the order of time. */
  readonly steps: readonly SeenStep[]
  readonly seqNo: number | null
  /** Steps that a document takes by itself and that were not seen; the gateway answers only who asks. */
  readonly missing: readonly string[]
  /** It stopped on its way, and was set aside. */
  readonly isOver: boolean
}

/** Without an answer: the gateway is asked, or it is not. */
const WAY = ['capture', 'score', 'cache', 'snapshot'] as const

/** The newest last. */
export function journeysOf(steps: readonly SeenStep[]): Journey[] {
  const byTrace = Map.groupBy(distinct(steps), ({ traceId }) => traceId)
  const journeys = [...byTrace].map(([traceId, found]) => journeyOf(traceId, found))
  return journeys.sort((a, b) => a.steps[0]!.beganAtMs - b.steps[0]!.beganAtMs)
}

function journeyOf(traceId: string, found: readonly SeenStep[]): Journey {
  const steps = found.toSorted(
    (a, b) => a.beganAtMs - b.beganAtMs || a.beganAtMs + a.tookMs - b.beganAtMs - b.tookMs,
  )
  const seqNo = steps.map(({ attributes }) => attributes[ATTRIBUTES.seqNo]).find(isNumber) ?? null
  const seen = new Set(steps.map(({ step }) => step))
  const isOver = steps.some(({ step, failure }) => step === 'capture' && failure !== null)
  const missing = seqNo === null || isOver ? [] : WAY.filter((step) => !seen.has(step))
  return { traceId, steps, seqNo, missing, isOver }
}

/** Whether all that can be expected of a change that came after this moment has been seen. */
export function hasArrived(journeys: readonly Journey[], sinceMs: number): boolean {
  return journeys.some(
    ({ steps, seqNo, missing }) =>
      seqNo !== null &&
      missing.length === 0 &&
      steps.some(({ step, beganAtMs }) => step === 'capture' && beganAtMs >= sinceMs),
  )
}

/** A span that went out twice stands there twice where its index has changed in between. */
function distinct(steps: readonly SeenStep[]): SeenStep[] {
  return [...new Map(steps.map((step) => [`${step.traceId} ${step.spanId}`, step])).values()]
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number'
}
