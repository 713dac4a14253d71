import type { Readable } from 'node:stream'
import type { Client } from '@elastic/elasticsearch'
import { FreshetError } from '@freshet/errors/errors.ts'
import { cutSearchPage, type SearchPage } from './cut-hits.ts'
import { translateElasticsearchError } from './translate.ts'

export interface PageRequest {
  readonly index: string
  readonly shard: number
  /** Node that holds the primary: another copy may lag behind. */
  readonly node: string
  /** Exclusive on the first page of a scan, inclusive on later ones: numbers repeat in a shrunk index. */
  readonly from: { readonly seqNo: number; readonly inclusive: boolean }
  /** Inclusive. */
  readonly toSeqNo: number
  readonly rows: number
}

/**
 * Documents of one primary in the order of their sequence numbers.
 * @returns at most `rows` hits, whose bytes are views of one response.
 * @throws SEARCH_PARTIAL unless exactly one shard answered, whole and in time: an answer from no shard also says 200
 */
export async function readPage(client: Client, page: PageRequest, signal: AbortSignal): Promise<SearchPage> {
  const doing = `reading ${page.index}/${page.shard}`
  try {
    const body = await client.transport.request<Readable>(searchOf(page), { signal, asStream: true })
    return checkPage(cutSearchPage(Buffer.concat(await body.toArray({ signal }))), doing)
  } catch (error) {
    if (isShardMoved(error))
      throw new FreshetError('SHARD_UNAVAILABLE', `${doing}: the primary moved`, { cause: error })
    throw translateElasticsearchError(error, doing)
  }
}

function checkPage(page: SearchPage, doing: string): SearchPage {
  const { total, successful, failed } = page.shards
  if (page.timedOut) throw new FreshetError('SEARCH_PARTIAL', `${doing}: the search timed out on the server`)
  if (total !== 1 || successful !== 1 || failed !== 0)
    throw new FreshetError(
      'SEARCH_PARTIAL',
      `${doing}: ${successful} of ${total} shards answered, ${failed} failed`,
    )
  return page
}

/** The node named in the request no longer holds the shard: 400, found by its type, not its wording. */
function isShardMoved(error: unknown): boolean {
  const { statusCode, body } = error as { statusCode?: number; body?: { error?: { type?: string } } }
  return statusCode === 400 && body?.error?.type === 'illegal_argument_exception'
}

function searchOf({ index, shard, node, from, toSeqNo, rows }: PageRequest) {
  return {
    method: 'POST',
    path: `/${encodeURIComponent(index)}/_search`,
    querystring: {
      preference: `_shards:${shard}|_only_nodes:${node}`,
      allow_partial_search_results: false,
      seq_no_primary_term: true,
      track_total_hits: false,
      request_cache: false,
    },
    body: {
      size: rows,
      sort: [{ _seq_no: 'asc' }],
      query: { range: { _seq_no: { [from.inclusive ? 'gte' : 'gt']: from.seqNo, lte: toSeqNo } } },
    },
  }
}

/**
 * Makes every operation up to a checkpoint read before visible to searches.
 * @throws SHARD_UNAVAILABLE when a shard could not be refreshed
 */
export async function refresh(client: Client, index: string, signal: AbortSignal): Promise<void> {
  try {
    const { _shards } = await client.indices.refresh({ index }, { signal })
    if (_shards === undefined || _shards.failed > 0)
      throw new FreshetError('SHARD_UNAVAILABLE', `refreshing ${index}: ${_shards?.failed} shards failed`)
  } catch (error) {
    throw translateElasticsearchError(error, `refreshing ${index}`)
  }
}
