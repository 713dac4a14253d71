import type { ScoreBatch } from '@freshet/records/score-batch.ts'
import { compareKeys, compareRowRanks } from '@freshet/snapshot/keys.ts'
import type { SortedSource } from '@freshet/snapshot/merge.ts'
import { PageBuilder } from '@freshet/snapshot/page-builder.ts'
import { rowsOfBatch } from '@freshet/snapshot/rows.ts'

/**
 * (4→5) The rows of one micro-batch in the order of their keys, each key once by its highest rank (on a tie the first).
 * Batches sorted so are merged into a delta when it is time: sorting is spread over the batches as they come.
 */
export function sortBatch(batch: ScoreBatch): SortedSource {
  const rows = rowsOfBatch(batch)
  const order = Array.from({ length: rows.count }, (_, row) => row).sort(
    (a, b) => compareKeys(rows, a, rows, b) || compareRowRanks(rows, b, rows, a) || a - b,
  )
  const sorted = new PageBuilder(rows.schema, rows.count)
  const outputs = rows.schema.outputs.map((_, i) => i)
  for (const [i, row] of order.entries())
    if (i === 0 || compareKeys(rows, order[i - 1]!, rows, row) !== 0)
      sorted.append(rows, { from: row, to: row + 1 }, outputs)
  return { schema: rows.schema, pages: [sorted.take()] }
}
