import { ROW_STATES } from '@freshet/records/score-batch.ts'
import { compareKeys, compareRowRanks } from './keys.ts'
import { PageBuilder } from './page-builder.ts'
import type { SnapshotRows, SnapshotSchema } from './rows.ts'

/** Rows in ascending order of their keys (UTF-8 bytes), each key once. A page must stay as it is until the next. */
export interface SortedSource {
  readonly schema: SnapshotSchema
  readonly pages: Iterable<SnapshotRows> | AsyncIterable<SnapshotRows>
}

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
  schema: SnapshotSchema,
  {
    pageRows,
    dropBeforeMs = Number.NEGATIVE_INFINITY,
  }: { pageRows: number; dropBeforeMs?: number | undefined },
): AsyncGenerator<SnapshotRows> {
  const heap = await openCursors(sources, schema)
  const page = new PageBuilder(schema, pageRows)
  while (heap.length > 0) {
    const first = heap[0]!
    const secondAt = lesserChild(heap, 0)
    const second = heap[secondAt]
    if (second !== undefined && sameKey(first, second)) {
      const loserAt = compareRowRanks(second.page, second.row, first.page, first.row) > 0 ? 0 : secondAt
      await advance(heap, loserAt, heap[loserAt]!.row + 1)
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
    await advance(heap, 0, to)
  }
  if (page.count > 0) yield page.take()
}

interface Cursor {
  /** Place among the sources: decides between equal keys. */
  readonly order: number
  readonly pages: Iterator<SnapshotRows> | AsyncIterator<SnapshotRows>
  /** For each output of the merged schema its place in the source's, or -1. */
  readonly outputs: readonly number[]
  page: SnapshotRows
  row: number
}

async function openCursors(sources: readonly SortedSource[], schema: SnapshotSchema): Promise<Cursor[]> {
  const heap: Cursor[] = []
  for (const [order, source] of sources.entries()) {
    const pages =
      Symbol.asyncIterator in source.pages
        ? source.pages[Symbol.asyncIterator]()
        : source.pages[Symbol.iterator]()
    const page = await nextPage(pages)
    if (page === undefined) continue
    const outputs = schema.outputs.map((name) => source.schema.outputs.indexOf(name))
    heap.push({ order, pages, outputs, page, row: 0 })
  }
  for (let at = heap.length >>> 1; at >= 0; at--) siftDown(heap, at)
  return heap
}

/** Moves the cursor at `at` to a row of its page, and on to its next page at the end; it leaves the heap when done. */
async function advance(heap: Cursor[], at: number, row: number): Promise<void> {
  const cursor = heap[at]!
  cursor.row = row
  if (row === cursor.page.count) {
    const page = await nextPage(cursor.pages)
    if (page === undefined) {
      const last = heap.pop()!
      if (last === cursor) return
      heap[at] = last
    } else {
      cursor.page = page
      cursor.row = 0
    }
  }
  siftDown(heap, at)
}

async function nextPage(pages: Cursor['pages']): Promise<SnapshotRows | undefined> {
  for (;;) {
    const next = await pages.next()
    if (next.done) return undefined
    if (next.value.count > 0) return next.value
  }
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
function keptEnd(
  page: SnapshotRows,
  { from, to }: { from: number; to: number },
  dropBeforeMs: number,
): number {
  let end = from + 1
  while (end < to && !isOldTombstone(page, end, dropBeforeMs)) end++
  return end
}

function isOldTombstone(page: SnapshotRows, row: number, dropBeforeMs: number): boolean {
  return page.states[row] === DELETED && page.scoredAtMs[row]! < dropBeforeMs
}

const DELETED = ROW_STATES.indexOf('deleted')

function siftDown(heap: Cursor[], from: number): void {
  for (let at = from; ; ) {
    const child = lesserChild(heap, at)
    if (child === -1 || !isBefore(heap[child]!, heap[at]!)) return
    const moved = heap[at]!
    heap[at] = heap[child]!
    heap[child] = moved
    at = child
  }
}

function lesserChild(heap: readonly Cursor[], at: number): number {
  const left = 2 * at + 1
  if (left >= heap.length) return -1
  return left + 1 < heap.length && isBefore(heap[left + 1]!, heap[left]!) ? left + 1 : left
}

function isBefore(a: Cursor, b: Cursor): boolean {
  return (compareKeys(a.page, a.row, b.page, b.row) || a.order - b.order) < 0
}

function sameKey(a: Cursor, b: Cursor): boolean {
  return compareKeys(a.page, a.row, b.page, b.row) === 0
}
