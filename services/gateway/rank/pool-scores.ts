import { type Features, sliceFeatures } from '@freshet/model/features/features.ts'
import type { LoadedModel } from '@freshet/model/run/loaded-model.ts'
import type { Reason } from '@freshet/records/reasons.ts'
import type { LiveModel } from '../live/live-rung.ts'
import { runRows } from '../live/run-rows.ts'
import type { LoopWatch } from '../server/loop-watch.ts'

/** A model as a rank uses it, and disposes of when it has its answer. */
export type RankModel = LiveModel & Pick<LoadedModel, 'paths'>

/** What the model says of a pool. */
export type PoolScores =
  | {
      readonly kind: 'scored'
      /** `name@version` */
      readonly model: string
      readonly outputs: readonly string[]
      /** One for each output: by row. */
      readonly columns: readonly Float64Array[]
      /** By document: its row; -1 when the model cannot score it. */
      readonly rows: Int32Array
    }
  | { readonly kind: 'unable'; readonly reason: Reason; readonly error?: unknown }

/**
 * Scores all documents in one run; never later than told.
 * @param documents bytes of `_source`.
 * @param endsAtMs of `performance.now()`.
 */
export async function scorePool(
  model: RankModel,
  documents: readonly Uint8Array[],
  endsAtMs: number,
  loop: Pick<LoopWatch, 'isBehind'>,
): Promise<PoolScores> {
  const { label, outputs, pool } = model
  const { features, rows } = featuresOf(model, documents)
  if (features.rows === 0)
    return { kind: 'scored', model: label, outputs, columns: outputs.map(() => NONE), rows }
  const ran = await runRows(pool, features, endsAtMs, loop)
  if (ran.kind === 'unable') return ran
  leaveOutUnending(rows, ran.columns)
  return { kind: 'scored', model: label, outputs, columns: ran.columns, rows }
}

const NONE = new Float64Array(0)

/** Documents that cannot be scored take no row. */
function featuresOf(
  { writer }: RankModel,
  documents: readonly Uint8Array[],
): { features: Features; rows: Int32Array } {
  const all = writer.allocate(documents.length)
  const rows = new Int32Array(documents.length).fill(-1)
  let count = 0
  for (const [place, document] of documents.entries())
    if (writer.write(document, all, count) === null) rows[place] = count++
  return { features: count === 0 ? { ...all, rows: 0 } : sliceFeatures(all, 0, count), rows }
}

/** A row for which any output is NaN or infinite has no score. */
function leaveOutUnending(rows: Int32Array, columns: readonly Float64Array[]): void {
  for (const [place, row] of rows.entries())
    if (row !== -1 && !columns.every((column) => Number.isFinite(column[row]))) rows[place] = -1
}
