import type { Client } from '@elastic/elasticsearch'
import { FreshetError } from '@freshet/errors/errors.ts'
import { z } from 'zod'
import { ask } from './ask.ts'
import { cutSearchPage, SCOPE_QUERY, type SearchPage } from './cut-hits.ts'
import type { ResponseBuffers } from './response-buffers.ts'
import { checkWhole, PageTooLarge, parseProblem, type Search, searchBytes } from './search-bytes.ts'
import { causeTypeOf, type Problem, refusal } from './translate.ts'

export { PageTooLarge }

interface Request {
  readonly index: string
  readonly shard: number
  /** Node that holds the primary: another copy may lag behind. */
  readonly node: string
  readonly rows: number
  /** A larger answer is given up. */
  readonly maxBytes?: number
  /** A query that tells which hits are in scope; it leaves none out. */
  readonly scope?: object
  /** Which fields come, as a search takes it; false: no documents. */
  readonly source?: false | { readonly includes: readonly string[]; readonly excludes: readonly string[] }
  /** Where the response's buffer is from, to be given back by who is done with the page. */
  readonly buffers?: ResponseBuffers
}

/** A page of a scan. */
export interface PageRequest extends Request {
  /** Exclusive on the first page of a scan, inclusive on later ones: numbers repeat in a shrunk index. */
  readonly from: { readonly seqNo: number; readonly inclusive: boolean }
  /** Inclusive. */
  readonly toSeqNo: number
}

/** What still has these sequence numbers. */
export interface NumbersRequest extends Request {
  readonly seqNos: readonly number[]
}

/**
 * Documents of one primary in the order of their sequence numbers.
 * @returns at most `rows` hits, whose bytes are views of one response.
 * @throws SEARCH_PARTIAL unless exactly one shard answered, whole and in time: an answer from no shard also says 200;
 *   PageTooLarge beyond `maxBytes`, index.max_result_window or what the server has memory for
 */
export async function readPage(
  client: Client,
  page: PageRequest | NumbersRequest,
  signal: AbortSignal,
): Promise<SearchPage> {
  const doing = `reading ${page.index}/${page.shard}`
  const { maxBytes, buffers } = page
  const options = { doing, signal, maxBytes, buffers }
  const { status, body } = await searchBytes(client, searchOf(page), options)
  if (status !== 200)
    throw await whyRefused(client, page, { status, problem: parseProblem(body), doing, signal })
  const found = cutSearchPage(body, { scope: page.scope !== undefined, source: page.source !== false })
  checkWhole(found, 1, doing)
  return found
}

interface Doing {
  readonly doing: string
  readonly signal: AbortSignal
}

/** Before any shard was asked, an illegal argument is the node; from the shard itself it may be the number of rows. */
async function whyRefused(
  client: Client,
  page: Request,
  { status, problem, doing, signal }: Doing & { status: number; problem: Problem | undefined },
): Promise<FreshetError> {
  if (status === 400 && problem?.error?.type === ILLEGAL)
    return new FreshetError('SHARD_UNAVAILABLE', `${doing}: node ${page.node} no longer holds the primary`)
  const tooLarge = await whyTooLarge(client, page, { status, problem, doing, signal })
  return tooLarge ?? refusal(status, problem, doing)
}

const ILLEGAL = 'illegal_argument_exception'

/** @returns undefined when a smaller page would be refused as well */
export async function whyTooLarge(
  client: Client,
  { index, rows }: Pick<Request, 'index' | 'rows'>,
  { status, problem, doing, signal }: Doing & { status: number; problem: Problem | undefined },
): Promise<PageTooLarge | undefined> {
  const cause = causeTypeOf(problem)
  if (status === 429 && cause === 'circuit_breaking_exception')
    return new PageTooLarge(`${doing}: the server has no memory for ${rows} rows`)
  if (status !== 400 || cause !== ILLEGAL) return undefined
  const maxRows = await readResultWindow(client, index, { doing, signal })
  if (rows <= maxRows) return undefined
  return new PageTooLarge(`${doing}: index.max_result_window allows ${maxRows} rows, not ${rows}`, maxRows)
}

const DEFAULT_RESULT_WINDOW = 10_000

async function readResultWindow(client: Client, index: string, { doing, signal }: Doing): Promise<number> {
  const path = `/${encodeURIComponent(index)}/_settings/index.max_result_window`
  const [only] = Object.values(await ask(client, { path, schema: windowSchema, doing }, signal))
  return Number(only?.settings?.index?.max_result_window ?? DEFAULT_RESULT_WINDOW)
}

const windowSchema = z.record(
  z.string(),
  z.object({
    settings: z
      .object({ index: z.object({ max_result_window: z.string().regex(/^\d+$/).optional() }).optional() })
      .optional(),
  }),
)

function searchOf(page: PageRequest | NumbersRequest): Search {
  const { index, shard, node, rows, scope, source } = page
  const query = numbersOf(page)
  return {
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
      // An index without mappings has never had a document, and would be refused for it.
      sort: [{ _seq_no: { order: 'asc', unmapped_type: 'long' } }],
      query: scope === undefined ? query : withScope(query, scope),
      ...(source !== undefined && { _source: source }),
    },
  }
}

function numbersOf(page: PageRequest | NumbersRequest): object {
  if ('seqNos' in page) return { terms: { _seq_no: page.seqNos } }
  const { from, toSeqNo } = page
  return { range: { _seq_no: { [from.inclusive ? 'gte' : 'gt']: from.seqNo, lte: toSeqNo } } }
}

/** As a clause that need not match, so that a hit says whether it does. */
export function withScope(query: object, scope: object): object {
  return { bool: { filter: [query], should: [{ bool: { filter: [scope], _name: SCOPE_QUERY } }] } }
}

/**
 * Makes every operation up to a checkpoint read before visible to searches.
 * @throws SHARD_UNAVAILABLE when a shard could not be refreshed
 */
export async function refresh(client: Client, index: string, signal: AbortSignal): Promise<void> {
  const doing = `refreshing ${index}`
  const question = { method: 'POST', path: `/${encodeURIComponent(index)}/_refresh`, doing } as const
  const { _shards } = await ask(client, { ...question, schema: refreshedSchema }, signal)
  if (_shards === undefined || _shards.failed > 0)
    throw new FreshetError('SHARD_UNAVAILABLE', `${doing}: ${_shards?.failed} shards failed`)
}

const refreshedSchema = z.object({ _shards: z.object({ failed: z.int().min(0) }).optional() })
