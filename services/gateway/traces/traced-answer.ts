import type { Answer } from '@freshet/records/answer.ts'
import type { Rank } from '@freshet/records/revision.ts'
import type { TraceReason } from '@freshet/telemetry/traced/traced-documents.ts'

/** An answer that speaks of a traced document. */
export interface TracedAnswer {
  readonly reason: TraceReason
  readonly key: string
  /** Of the stored score; undefined when the answer is not made of one. */
  readonly rank: Rank | undefined
  /** undefined: the stores agree that there is none. */
  readonly answer: Answer | undefined
}
