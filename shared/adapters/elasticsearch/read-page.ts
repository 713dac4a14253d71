import type { Readable } from 'node:stream'
import { type Client, errors } from '@elastic/elasticsearch'
import { FreshetError } from '@freshet/errors/errors.ts'
import { cutSearchPage, type SearchPage } from './cut-hits.ts'
import { refusal, translateElasticsearchError } from './translate.ts'

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
  const { status, body } = await search(client, page, signal, doing)
  if (status === 200) return checkPage(cutSearchPage(body), doing)
  const problem = parseProblem(body)
  if (status === 400 && problem?.error?.type === 'illegal_argument_exception')
    throw new FreshetError('SHARD_UNAVAILABLE', `${doing}: node ${page.node} no longer holds the primary`)
  throw refusal(status, problem, doing)
}

/** The client hands over a stream unread and unchecked, which is what keeps the bytes as they are. */
async function search(client: Client, page: PageRequest, signal: AbortSignal, doing: string) {
  try {
    const response = await client.transport.request<Readable>(searchOf(page), {
      signal,
      asStream: true,
      meta: true,
    })
    return { status: response.statusCode, body: Buffer.concat(await response.body.toArray({ signal })) }
  } catch (error) {
    if (error instanceof Error && !(error instanceof errors.ElasticsearchClientError))
      throw new FreshetError(
        'ELASTICSEARCH_UNREACHABLE',
        `${doing}: the answer broke off: ${error.message}`,
        { cause: error },
      )
    throw translateElasticsearchError(error, doing)
  }
}

function parseProblem(body: Buffer): { error?: { type?: string } } | undefined {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined // a proxy's page: the status alone speaks
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
