import { type PageRequest, PageTooLarge } from '@freshet/adapters/elasticsearch/read-page.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { Hits } from '@freshet/records/hit.ts'
import { PageRows } from './page-rows.ts'

/** What an index allows unless it says otherwise. */
const MAX_ROWS = 10_000

/** `isLeast`: of one new row, which is let pass whatever it weighs. */
export type Ask = Pick<PageRequest, 'from' | 'rows'> & { readonly isLeast: boolean }

/**
 * Every document of a shard, by rising sequence numbers; some come twice. A document that is written meanwhile moves on to
 * a later page, so one that lives from the first page to the last is never left out.
 *
 * Numbers repeat in a shrunk index. So a page begins with the number that the last one ended with, and what it repeats
 * comes on top of its rows: each page has a new one.
 * @throws SEARCH_PARTIAL when a number repeats more often than the index allows rows; PageTooLarge when one new row is too
 *   much for the server; what `read` throws
 */
export async function* everyPage(read: (ask: Ask) => Promise<Hits>): AsyncGenerator<Hits> {
  const fresh = new PageRows(MAX_ROWS)
  let maxRows = MAX_ROWS
  let repeated = 0
  let from = { seqNo: -1, inclusive: false }
  for (;;) {
    if (repeated >= maxRows)
      throw new FreshetError('SEARCH_PARTIAL', `${repeated} documents and more have the number ${from.seqNo}`)
    const rows = Math.min(maxRows, fresh.count + repeated)
    try {
      const hits = await read({ from, rows, isLeast: rows === repeated + 1 })
      yield hits
      if (hits.length < rows) return
      const { seqNo } = hits.at(-1)!
      for (repeated = 1; hits.at(-1 - repeated)?.seqNo === seqNo; ) repeated++
      from = { seqNo, inclusive: true }
      fresh.grow()
    } catch (error) {
      if (!(error instanceof PageTooLarge)) throw error
      if (error.maxRows === undefined) fresh.shrink(rows - repeated, error)
      else maxRows = error.maxRows
    }
  }
}
