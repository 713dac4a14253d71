import type { Change, TraceContext } from '@freshet/records/change.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { DocumentStep, TracedDocuments } from '@freshet/telemetry/traced/traced-documents.ts'

type Captured = Omit<DocumentStep, 'endedAtMs' | 'together'>

/** Those of the changes of one page that are traced: their spans are left when Kafka has the page. */
export class TracedChanges {
  readonly #traced: TracedDocuments
  readonly #areOrdered: boolean
  readonly #found: Captured[] = []

  constructor(traced: TracedDocuments, nowMs: number) {
    this.#traced = traced
    this.#areOrdered = traced.areOrdered(nowMs)
  }

  /** Keeps nothing of one that is not traced. @param failure why it cannot travel. */
  see(change: Change, index?: string, failure?: DocumentStep['failure']): void {
    const { key, revision } = change
    const reason = this.#traced.reasonOf(revision.seqNo, key, this.#areOrdered)
    if (reason === null) return
    this.#found.push({
      ...{ step: 'capture', after: null, generation: 0, reason, revision, failure },
      key: key.toString(),
      asOfMs: change.capturedAtMs,
      beganAtMs: change.capturedAtMs,
      attributes: {
        [ATTRIBUTES.documentState]: change.source === null ? 'deleted' : 'captured',
        ...(index !== undefined && { [ATTRIBUTES.sourceIndex]: index }),
      },
    })
  }

  /** @param page the span in which they were sent. */
  leave(page: TraceContext | null, endedAtMs: number): void {
    for (const captured of this.#found) this.#traced.leave({ ...captured, endedAtMs, together: [page] })
  }
}
