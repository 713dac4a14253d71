import { keyAt, modelLabel, rankAt, type ScoreBatch, stateAt } from '@freshet/records/score-batch.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { DocumentStep, TracedDocuments, TracedRow } from '@freshet/telemetry/traced/traced-documents.ts'

/** What the scorer has done with a batch, or with a row of it. */
export type ScoringStep = Pick<
  DocumentStep,
  'step' | 'after' | 'beganAtMs' | 'endedAtMs' | 'together' | 'attributes' | 'failure'
>

/** The document of one row, as its own span speaks of it. */
export type TracedScore = Omit<DocumentStep, keyof ScoringStep> & Required<Pick<DocumentStep, 'attributes'>>

/** A copy: it keeps nothing of the batch in memory. */
export function tracedScoreAt(batch: ScoreBatch, { row, reason }: TracedRow): TracedScore {
  const { header, rows } = batch
  const { revision, modelGeneration } = rankAt(batch, row)
  return {
    reason,
    key: keyAt(rows, row).toString(),
    revision,
    generation: modelGeneration,
    asOfMs: rows.asOfMs[row]!,
    attributes: {
      [ATTRIBUTES.model]: modelLabel(header.model),
      [ATTRIBUTES.documentState]: stateAt(rows, row),
      [ATTRIBUTES.messagingPartition]: String(header.partition),
    },
  }
}

/** @param ofRow what was done with this one, where it differs. */
export function leaveSteps(
  traced: TracedDocuments,
  batch: ScoreBatch,
  step: ScoringStep,
  ofRow: (row: number) => Partial<ScoringStep> = () => ({}),
): void {
  for (const found of traced.rowsOf(batch.rows, step.endedAtMs)) {
    const document = tracedScoreAt(batch, found)
    const own = ofRow(found.row)
    const attributes = { ...document.attributes, ...step.attributes, ...own.attributes }
    traced.leave({ ...document, ...step, ...own, attributes })
  }
}
