import { compareRowRanks } from '@freshet/records/row-ranks.ts'
import { ROW_STATES } from '@freshet/records/score-batch.ts'
import type { RowsSchema, StoredRows } from '@freshet/records/stored-rows.ts'
import { compareKeys } from './keys.ts'
import { type Cursor, MergeFront, type SortedSource } from './merge-front.ts'
import { PageBuilder } from './page-builder.ts'

export type { SortedSource } from './merge-front.ts'

/**
 * The row of highest rank of every key of all sources, in order, in pages of `pageRows` (the last may hold fewer). On a
 * tie the earlier source's stays. Holds one page of each source and one of its own. Tombstones are kept, but for those
 * that were scored before `dropBeforeMs`: they have outranked what they had to, and go.
 *
 * The cursors stand in a heap by key. The first may run ahead to the key of the second, and such a run is copied as a
 * whole: a large base with a few deltas is copied more than it is compared.
 */
export async function* mergeSorted(
  sources: readonly SortedSource[],
  schema: RowsSchema,
  {
    pageRows,
    dropBeforeMs = Number.NEGATIVE_INFINITY,
  }: { pageRows: number; dropBeforeMs?: number | undefined },
): AsyncGenerator<StoredRows> {
  const front = await MergeFront.open(sources, schema)
  const page = new PageBuilder(schema, pageRows)
  for (let first = front.first; first !== undefined; first = front.first) {
    const { second } = front
    if (second !== undefined && front.isSameKey(first, second)) {
      const loser = compareRowRanks(second.page, second.row, first.page, first.row) > 0 ? first : second
      const turning = front.advance(loser, loser.row + 1)
      if (turning !== undefined) await turning
      continue
    }
    const to = second === undefined ? first.page.count : runEnd(first, second)
    for (let from = first.row; from < to; ) {
      if (isOldTombstone(first.page, from, dropBeforeMs)) {
        from++
        continue
      }
      const end = keptEnd(first.page, { from, to: Math.min(to, from + page.room) }, dropBeforeMs)
      page.append(first.page, { from, to: end }, first.outputs)
      from = end
      if (page.room === 0) yield page.take()
    }
    const turning = front.advance(first, to)
    if (turning !== undefined) await turning
  }
  if (page.count > 0) yield page.take()
}

/** The first row of `first`'s page whose key is not below `second`'s: found in leaps, then by halving. */
function runEnd(first: Cursor, second: Cursor): number {
  const { page, row } = first
  const below = (at: number): boolean => compareKeys(page, at, second.page, second.row) < 0
  let step = 1
  let low = row // known to be below
  while (low + step < page.count && below(low + step)) {
    low += step
    step *= 2
  }
  let high = Math.min(low + step, page.count) // known not to be, or the end
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (below(middle)) low = middle
    else high = middle
  }
  return high
}

/** Where the run that begins with a kept row ends, because the range does or an old tombstone follows. */
function keptEnd(page: StoredRows, { from, to }: { from: number; to: number }, dropBeforeMs: number): number {
  let end = from + 1
  while (end < to && !isOldTombstone(page, end, dropBeforeMs)) end++
  return end
}

function isOldTombstone(page: StoredRows, row: number, dropBeforeMs: number): boolean {
  return page.states[row] === DELETED && page.scoredAtMs[row]! < dropBeforeMs
}

const DELETED = ROW_STATES.indexOf('deleted')
