import { type ScoreBatch, type ScoreBatchHeader, STATE } from '@freshet/records/score-batch.ts'
import type { DeadMessage } from '../dead-letters.ts'
import type { FeatureBatch } from './feature-batch.ts'
import type { RowScores } from './score-rows.ts'

export interface Scored {
  readonly batch: ScoreBatch
  /** Everything in the micro-batch that found no score: set aside before the model, or for the model's answer. */
  readonly dead: readonly DeadMessage[]
}

/**
 * (3→4) Joins the model's answers with the rows that needed none. A row on which the model fails, or whose answer is no
 * finite number, becomes `unscorable`, with a dead letter MODEL_RUN_FAILED or SCORE_NOT_FINITE.
 * @param scores of the rows of the matrix; one column for each of `header.outputs`.
 */
export function rowsToScores(
  features: FeatureBatch,
  { columns, failures }: RowScores,
  header: Omit<ScoreBatchHeader, 'fromOffset' | 'toOffset'>,
): Scored {
  const { fromOffset, toOffset, rows, scorable, messages } = features
  const states = rows.states.slice()
  const outputs = columns.map(() => new Float64Array(rows.count).fill(Number.NaN))
  const dead = [...features.dead]
  for (let i = 0; i < scorable.length; i++) {
    const row = scorable[i]!
    const bad = firstBad(columns, i)
    if (bad === -1) {
      for (let output = 0; output < columns.length; output++) outputs[output]![row] = columns[output]![i]!
      continue
    }
    states[row] = STATE.unscorable
    const failure = failures.get(i)
    const message = messages[row]!
    if (failure !== undefined) dead.push({ message, code: 'MODEL_RUN_FAILED', at: null, reason: failure })
    else {
      const reason = `the model answered ${columns[bad]![i]} for ${header.outputs[bad]}`
      dead.push({ message, code: 'SCORE_NOT_FINITE', at: null, reason })
    }
  }
  return { batch: { header: { ...header, fromOffset, toOffset }, rows: { ...rows, states, outputs } }, dead }
}

function firstBad(columns: readonly Float64Array[], i: number): number {
  for (let output = 0; output < columns.length; output++)
    if (!Number.isFinite(columns[output]![i])) return output
  return -1
}
