import type { ScoreBatch, ScoreBatchHeader } from '@freshet/records/score-batch.ts'
import type { DeadChange } from './change-message.ts'
import { type FeatureBatch, STATE } from './change-to-row.ts'

export interface Scored {
  readonly batch: ScoreBatch
  /** Everything in the micro-batch that found no score: set aside before the model, or for the model's answer. */
  readonly dead: readonly DeadChange[]
}

/**
 * Joins the model's answers with the rows that needed none. An answer that is no finite number makes its row
 * `unscorable`, with a dead letter SCORE_NOT_FINITE.
 * @param scores one column for each of `header.outputs`, an entry for each row of the matrix.
 */
export function rowsToScores(
  features: FeatureBatch,
  scores: readonly Float64Array[],
  header: Omit<ScoreBatchHeader, 'fromOffset' | 'toOffset'>,
): Scored {
  const { fromOffset, toOffset, rows, scorable, messages } = features
  const states = rows.states.slice()
  const outputs = scores.map(() => new Float64Array(rows.count).fill(Number.NaN))
  const dead = [...features.dead]
  for (const [i, row] of scorable.entries()) {
    const bad = scores.findIndex((column) => !Number.isFinite(column[i]))
    if (bad === -1) for (const [column, output] of outputs.entries()) output[row] = scores[column]![i]!
    else {
      states[row] = STATE.unscorable
      const reason = `the model answered ${scores[bad]![i]} for ${header.outputs[bad]}`
      dead.push({ message: messages[row]!, code: 'SCORE_NOT_FINITE', at: null, reason })
    }
  }
  return { batch: { header: { ...header, fromOffset, toOffset }, rows: { ...rows, states, outputs } }, dead }
}
