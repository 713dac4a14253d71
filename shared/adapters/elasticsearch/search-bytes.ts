/** One search, answered as bytes: bounded, and never taken for whole when it is not. */
import { addAbortSignal, type Readable } from 'node:stream'
import { type Client, errors } from '@elastic/elasticsearch'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { Page } from './cut-page.ts'
import type { ResponseBuffers } from './response-buffers.ts'
import { type Problem, translateElasticsearchError } from './translate.ts'

/** The page cannot be had; one of fewer rows may. */
export class PageTooLarge extends FreshetError {
  /** Most rows that the index allows in a page, where that is why. */
  readonly maxRows: number | undefined

  constructor(message: string, maxRows?: number) {
    super('PAGE_TOO_LARGE', message)
    this.maxRows = maxRows
  }
}

export interface Search {
  readonly path: string
  readonly querystring: Readonly<Record<string, string | boolean>>
  readonly body: { readonly size: number } & Readonly<Record<string, unknown>>
}

export interface SearchOptions {
  /** For messages. */
  readonly doing: string
  readonly signal: AbortSignal
  /** A larger answer is given up. */
  readonly maxBytes?: number | undefined
  /** Where the answer's buffer is from; left out: a new one. */
  readonly buffers?: ResponseBuffers | undefined
}

/**
 * The client hands over a stream unread and unchecked, which is what keeps the bytes as they are.
 * @returns any answer, also one that is a refusal
 * @throws PageTooLarge beyond `maxBytes`
 */
export async function searchBytes(
  client: Client,
  search: Search,
  { doing, signal, maxBytes = Number.POSITIVE_INFINITY, buffers }: SearchOptions,
): Promise<{ readonly status: number; readonly body: Buffer }> {
  try {
    const { statusCode: status, body } = await client.transport.request<Readable>(
      { method: 'POST', ...search },
      { signal, asStream: true, meta: true },
    )
    const bytes = await readAtMost(addAbortSignal(signal, body), maxBytes, buffers)
    if (bytes !== undefined) return { status, body: bytes }
  } catch (error) {
    if (error instanceof errors.ElasticsearchClientError) throw translateElasticsearchError(error, doing)
    const message = `${doing}: the answer broke off: ${(error as Error).message}`
    throw new FreshetError('ELASTICSEARCH_UNREACHABLE', message, { cause: error })
  }
  throw new PageTooLarge(`${doing}: ${search.body.size} rows are more than ${maxBytes} bytes`)
}

/** Leaving the loop closes the connection, which ends the search on the server as well. */
async function readAtMost(
  body: AsyncIterable<Buffer>,
  maxBytes: number,
  buffers: ResponseBuffers | undefined,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > maxBytes) return undefined
    chunks.push(chunk)
  }
  if (buffers === undefined) return Buffer.concat(chunks, bytes)
  const whole = buffers.take(bytes)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole.subarray(0, bytes)
}

/** What a refusal says; undefined for a proxy's page: then the status alone speaks. */
export function parseProblem(body: Buffer): Problem | undefined {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

/**
 * @param expected number of shards that must have answered.
 * @throws SEARCH_PARTIAL unless they did, whole and in time: an answer from no shard also says 200
 */
export function checkWhole(
  page: Pick<Page<unknown>, 'timedOut' | 'shards'>,
  expected: number,
  doing: string,
): void {
  const { total, successful, failed } = page.shards
  if (page.timedOut) throw new FreshetError('SEARCH_PARTIAL', `${doing}: the search timed out on the server`)
  if (total !== expected || successful !== expected || failed !== 0)
    throw new FreshetError(
      'SEARCH_PARTIAL',
      `${doing}: ${successful} of ${total} shards answered, ${failed} failed`,
    )
}
