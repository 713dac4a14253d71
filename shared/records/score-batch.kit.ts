import { Buffer } from 'node:buffer'
import { emptyRows, type RowState, type ScoreBatch, type ScoreBatchHeader, STATE } from './score-batch.ts'
import { rowsOfBatch } from './stored-rows.ts'
import { type StoredScore, storedScoreOf } from './stored-score.ts'

/** One row of a batch; what is left out is small and the same for all. */
export interface BatchRow {
  readonly key: string
  readonly documentVersion?: number
  readonly epoch?: number
  readonly primaryTerm?: number
  readonly seqNo?: number
  readonly asOfMs?: number
  readonly state?: RowState
  /** NaN where left out. */
  readonly outputs?: readonly number[]
}

export function storedScoreAt(batch: ScoreBatch, row: number): StoredScore {
  return storedScoreOf(rowsOfBatch(batch), row)
}

/** A batch of one output, `delay`, unless the header says otherwise. */
export function scoreBatchOf(rows: readonly BatchRow[], header: Partial<ScoreBatchHeader> = {}): ScoreBatch {
  const outputs = header.outputs ?? ['delay']
  const keys = rows.map(({ key }) => Buffer.from(key))
  const columns = emptyRows(rows.length, Buffer.concat(keys).length, outputs.length)
  columns.keys.set(Buffer.concat(keys))
  for (const [i, row] of rows.entries()) {
    columns.keyOffsets[i + 1] = columns.keyOffsets[i]! + keys[i]!.length
    columns.documentVersions[i] = row.documentVersion ?? 0
    columns.epochs[i] = row.epoch ?? 1
    columns.primaryTerms[i] = row.primaryTerm ?? 1
    columns.seqNos[i] = row.seqNo ?? 1
    columns.asOfMs[i] = row.asOfMs ?? 1_700_000_000_000
    columns.states[i] = STATE[row.state ?? 'scored']
    for (const [column, value] of (row.outputs ?? []).entries()) columns.outputs[column]![i] = value
  }
  return {
    header: {
      partition: 0,
      fromOffset: 0,
      toOffset: Math.max(0, rows.length - 1),
      model: { name: 'delay', version: '1', generation: 1 },
      outputs,
      scoredAtMs: 1_700_000_001_000,
      trace: null,
      ...header,
    },
    rows: columns,
  }
}
