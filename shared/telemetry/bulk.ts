import type { Client } from '@elastic/elasticsearch'
import { errors } from '@elastic/elasticsearch'
import { translateElasticsearchError } from '@freshet/adapters/elasticsearch/translate.ts'
import type { FreshetError } from '@freshet/errors/errors.ts'
import type { QueuedDocument } from './document-queue.ts'

/** What became of each document of one bulk request. */
export interface BulkOutcome {
  /** Elasticsearch has them, perhaps since an earlier try. */
  readonly written: readonly QueuedDocument[]
  /** Too much at once, or not now. */
  readonly retry: readonly QueuedDocument[]
  /** A retry cannot help. */
  readonly refused: readonly QueuedDocument[]
  /** Why, of the first refused one. */
  readonly refusal?: string
  /** Why none was taken, when the request as a whole failed. */
  readonly error?: FreshetError
  /** How long the server asked us to wait. */
  readonly retryAfterMs?: number
}

/** One bulk request; never throws. */
export async function writeBulk(
  client: Client,
  documents: readonly QueuedDocument[],
  signal: AbortSignal,
): Promise<BulkOutcome> {
  try {
    const answer = await client.transport.request<BulkAnswer>(
      {
        method: 'POST',
        path: '/_bulk',
        querystring: { filter_path: 'items.*.status,items.*.error.type,items.*.error.reason' },
        bulkBody: documents.map(({ lines }) => lines).join(''),
      },
      { signal },
    )
    return readItems(documents, answer)
  } catch (error) {
    return readFailure(documents, error)
  }
}

interface BulkAnswer {
  readonly items?: readonly {
    readonly create?: {
      readonly status: number
      readonly error?: { readonly type?: string; readonly reason?: string }
    }
  }[]
}

/** A bulk request answers 200 even when every item failed, so the items are what counts. */
function readItems(documents: readonly QueuedDocument[], { items = [] }: BulkAnswer): BulkOutcome {
  const written: QueuedDocument[] = []
  const retry: QueuedDocument[] = []
  const refused: QueuedDocument[] = []
  let refusal: string | undefined
  documents.forEach((document, at) => {
    const item = items[at]?.create
    const status = item?.status ?? 503 // an item without an answer may or may not be there: its id makes a repeat safe
    if (status < 300 || status === 409) written.push(document)
    else if (status === 429 || status >= 500) retry.push(document)
    else {
      refused.push(document)
      refusal ??= `${item?.error?.type}: ${item?.error?.reason}`
    }
  })
  return { written, retry, refused, ...(refusal !== undefined && { refusal }) }
}

/** The request as a whole: only what is wrong with the request itself is not tried again. */
function readFailure(documents: readonly QueuedDocument[], cause: unknown): BulkOutcome {
  const error = translateElasticsearchError(cause, 'sending telemetry')
  if (!(cause instanceof errors.ResponseError)) return { written: [], retry: documents, refused: [], error }
  if (cause.statusCode === 400 || cause.statusCode === 413)
    return { written: [], retry: [], refused: documents, refusal: error.message }
  const seconds = Number(cause.headers?.['retry-after'])
  const retryAfterMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined
  return {
    written: [],
    retry: documents,
    refused: [],
    error,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}
