import type { Client } from '@elastic/elasticsearch'
import { PageTooLarge, readPage } from '@freshet/adapters/elasticsearch/read-page.ts'
import type { Scope } from '@freshet/capture/scope.ts'
import type { Hits } from '@freshet/records/hit.ts'
import type { PrimaryPlace } from './live-keys.ts'
import { PageRows } from './page-rows.ts'

/** Numbers asked for at once. */
const MAX_NUMBERS = 1_000
/** There may be more documents than numbers: they repeat in a shrunk index. */
const MAX_ROWS = 2_048

export interface ReadAgainOptions {
  readonly scope: Scope
  readonly maxPageBytes: number
  readonly signal: AbortSignal
}

/**
 * The documents that still have these sequence numbers, on the primary, as they are captured. What was written or
 * deleted since is left out.
 * @throws as readPage does
 */
export async function* readAgain(
  client: Client,
  place: PrimaryPlace,
  seqNos: readonly number[],
  { scope, maxPageBytes, signal }: ReadAgainOptions,
): AsyncGenerator<Hits> {
  const numbers = new PageRows(MAX_NUMBERS)
  let rows = MAX_ROWS
  for (let at = 0; at < seqNos.length; ) {
    const asked = seqNos.slice(at, at + numbers.count)
    // One document may always pass: it is in memory of the server anyway.
    const maxBytes = asked.length === 1 ? undefined : maxPageBytes
    try {
      const { hits } = await readPage(
        client,
        {
          index: place.index,
          shard: place.shard,
          node: place.node,
          seqNos: asked,
          rows,
          ...(maxBytes !== undefined && { maxBytes }),
          ...(scope.query !== undefined && { scope: scope.query }),
          ...(scope.sourceFilter !== undefined && { source: scope.sourceFilter }),
        },
        signal,
      )
      if (hits.length === rows)
        throw new PageTooLarge(`${place.index}/${place.shard}: more than ${rows} documents at once`)
      yield hits
      at += asked.length
      numbers.grow()
    } catch (error) {
      if (!(error instanceof PageTooLarge)) throw error
      if (error.maxRows === undefined) numbers.shrink(asked.length, error)
      else rows = error.maxRows
    }
  }
}
