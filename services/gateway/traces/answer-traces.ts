import type { Rank } from '@freshet/records/revision.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { traceContextOf } from '@freshet/telemetry/spans.ts'
import type { TracedDocuments, TraceReason } from '@freshet/telemetry/traced/traced-documents.ts'
import type { Span } from '@opentelemetry/api'
import { answerAttributes, type EndedCall, type Ending } from './request-span.ts'
import type { TracedAnswer } from './traced-answer.ts'

/** The last step of a document's way: an answer that speaks of it. */
export class AnswerTraces {
  readonly #traced: TracedDocuments

  constructor(traced: TracedDocuments) {
    this.#traced = traced
  }

  /** Asked for every answer: without orders it is one multiplication. */
  reasonOf(key: string, rank: Rank | undefined): TraceReason | null {
    const areOrdered = !this.#traced.orders.isEmpty && this.#traced.areOrdered(Date.now())
    if (rank !== undefined) return this.#traced.reasonOf(rank.revision.seqNo, key, areOrdered)
    return areOrdered && this.#traced.orders.hasText(key) ? 'order' : null
  }

  /** @param request its span, where it has left one. */
  leave(
    { reason, key, rank, answer }: TracedAnswer,
    { route, deadline }: Pick<EndedCall, 'route' | 'deadline'>,
    { status, endedAtMs, endedWallMs }: Ending,
    request: Span | undefined,
  ): void {
    const source = answer?.source
    this.#traced.leave({
      ...{ step: 'answer', reason, key },
      revision: rank?.revision ?? null,
      generation: rank?.modelGeneration ?? 0,
      asOfMs: endedWallMs - (answer?.age_ms ?? 0),
      beganAtMs: endedWallMs - (endedAtMs - deadline.acceptedAtMs),
      endedAtMs: endedWallMs,
      after: source === 'cache' || source === 'snapshot' ? source : null,
      together: [request === undefined ? null : traceContextOf(request)],
      attributes: {
        [ATTRIBUTES.httpRoute]: route,
        [ATTRIBUTES.httpStatus]: status,
        ...(answer !== undefined && answerAttributes(answer, this.#traced)),
      },
    })
  }
}
