import { sliceFeatures } from '@freshet/model/features/features.ts'
import type { LoadedModel } from '@freshet/model/run/loaded-model.ts'
import { type RowScores, scoreRows } from '../infer/score-rows.ts'

/** Rows that the promoted model has scored, all of them with a score in each column. */
export interface ScoredRows {
  /** `name@version` of the promoted model. */
  readonly current: string
  /** Names of its outputs, in the order of the columns. */
  readonly outputs: readonly string[]
  readonly documents: readonly Uint8Array[]
  /** One column an output, an entry a document. */
  readonly columns: readonly Float64Array[]
}

export type ComparedModel = Pick<LoadedModel, 'writer' | 'pool' | 'probe' | 'outputs'>

export interface ComparedRows {
  /** One column an output of the shadow, an entry a document; NaN where it has no score. */
  readonly columns: readonly Float64Array[]
  /** Of documents without a score, by error code. */
  readonly failedRows: Readonly<Record<string, number>>
}

/** What the shadow makes of the documents. @throws MODEL_RUN_FAILED when it fails on its probe too */
export async function compareRows(
  shadow: ComparedModel,
  documents: readonly Uint8Array[],
  signal: AbortSignal,
): Promise<ComparedRows> {
  const { writer, outputs } = shadow
  const features = writer.allocate(documents.length)
  const failedRows: Record<string, number> = {}
  const failed = (code: string) => (failedRows[code] = (failedRows[code] ?? 0) + 1)
  /** Index of the document of each row that the shadow can take. */
  const rows: number[] = []
  for (const [index, document] of documents.entries()) {
    const problem = writer.write(document, features, rows.length)
    if (problem === null) rows.push(index)
    else failed(problem.code)
  }
  const scored: RowScores = await scoreRows(shadow, sliceFeatures(features, 0, rows.length), signal)
  const columns = outputs.map(() => new Float64Array(documents.length).fill(Number.NaN))
  for (const [row, index] of rows.entries()) {
    const isScored = scored.columns.every((column) => Number.isFinite(column[row]))
    if (isScored)
      for (const [output, column] of columns.entries()) column[index] = scored.columns[output]![row]!
    else failed(scored.failures.has(row) ? 'MODEL_RUN_FAILED' : 'SCORE_NOT_FINITE')
  }
  return { columns, failedRows }
}

/** Outputs to be compared, as columns of both; by name, or the first ones where no name is the same. */
export function commonOutputs(
  current: readonly string[],
  shadow: readonly string[],
): { readonly name: string; readonly current: number; readonly shadow: number }[] {
  const common = current.flatMap((name, index) => {
    const other = shadow.indexOf(name)
    return other < 0 ? [] : [{ name, current: index, shadow: other }]
  })
  return common.length > 0 ? common : [{ name: `${current[0]} / ${shadow[0]}`, current: 0, shadow: 0 }]
}
