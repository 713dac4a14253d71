import type { Client } from '@elastic/elasticsearch'
import { errors } from '@elastic/elasticsearch'
import { translateElasticsearchError } from '@freshet/adapters/elasticsearch/translate.ts'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { retryAfterMs } from '@freshet/stage/retry-after.ts'
import type { Deliver, Delivery } from '../outbox/delivery.ts'
import { hasDataStreams } from './abilities.ts'
import { type BulkDocument, bulkLines } from './bulk-document.ts'

/**
 * Brings documents to Elasticsearch, each request as one `_bulk`. Where the server has no data streams, documents go to
 * plain indices with the day in their names, which retention deletes whole; it is asked once, before the first request.
 */
export function bulkDelivery(client: Client, clock: Pick<Clock, 'nowMs'>): Deliver<BulkDocument> {
  let isDated: boolean | undefined
  return async (documents, signal) => {
    try {
      isDated ??= !(await hasDataStreams(client, signal))
      return await writeBulk({ client, clock, isDated }, documents, signal)
    } catch (cause) {
      const error = isFreshetError(cause) ? cause : translateElasticsearchError(cause, 'sending telemetry')
      return { written: [], retry: documents, refused: [], error }
    }
  }
}

interface Receiver {
  readonly client: Client
  readonly clock: Pick<Clock, 'nowMs'>
  readonly isDated: boolean
}

async function writeBulk(
  { client, clock, isDated }: Receiver,
  documents: readonly BulkDocument[],
  signal: AbortSignal,
): Promise<Delivery<BulkDocument>> {
  try {
    const answer = await client.transport.request(
      {
        method: 'POST',
        path: '/_bulk',
        querystring: { filter_path: 'items.*.status,items.*.error.type,items.*.error.reason' },
        bulkBody: documents.map((document) => bulkLines(document, isDated)).join(''),
      },
      { signal },
    )
    return readItems(documents, answer)
  } catch (error) {
    return readFailure(documents, error, clock.nowMs())
  }
}

const BLOCK = 'cluster_block_exception'

/** A bulk request answers 200 even when every item failed, so the items are what counts. */
function readItems(documents: readonly BulkDocument[], answer: unknown): Delivery<BulkDocument> {
  const { items } = (answer ?? {}) as { readonly items?: unknown }
  if (!Array.isArray(items)) {
    const error = new FreshetError('HIT_MALFORMED', 'sending telemetry: what answers 200 names no items')
    return { written: [], retry: documents, refused: [], error }
  }
  const written: BulkDocument[] = []
  const retry: BulkDocument[] = []
  const refused: BulkDocument[] = []
  let refusal: string | undefined
  let error: FreshetError | undefined
  documents.forEach((document, at) => {
    const { status, type, reason } = readItem(items[at])
    if (status < 300 || status === 409) written.push(document)
    else if (status === 429 || status >= 500) retry.push(document)
    else if (type === BLOCK) {
      retry.push(document) // of a full disk or by hand: it is there until someone takes it away
      error ??= new FreshetError('TELEMETRY_BLOCKED', `sending telemetry: ${status} ${reason}`)
    } else {
      refused.push(document)
      // Without the status where there is a type: that says the same, and each reason is told once.
      refusal ??= type === undefined ? `status ${status}` : `${type}: ${reason}`
    }
  })
  return { written, retry, refused, ...(refusal !== undefined && { refusal }), ...(error && { error }) }
}

interface Item {
  readonly status: number
  readonly type: string | undefined
  readonly reason: string
}

/** An item without an answer, or with one that says nothing, may or may not be there: its id makes a repeat safe. */
function readItem(item: unknown): Item {
  const { status, error } =
    ((item ?? {}) as { create?: { status?: unknown; error?: unknown } | null }).create ?? {}
  const { type, reason } = (error ?? {}) as { readonly type?: unknown; readonly reason?: unknown }
  return {
    status: typeof status === 'number' && status >= 200 ? status : 503,
    type: typeof type === 'string' ? type : undefined,
    reason: typeof reason === 'string' ? reason : 'no reason given',
  }
}

/** Telemetry does not stay away for longer, whatever it is asked. */
const MAX_RETRY_AFTER_MS = 300_000

/** The request as a whole: only what is wrong with the request itself is not tried again. */
function readFailure(
  documents: readonly BulkDocument[],
  cause: unknown,
  nowMs: number,
): Delivery<BulkDocument> {
  const error = translateElasticsearchError(cause, 'sending telemetry')
  if (!(cause instanceof errors.ResponseError)) return { written: [], retry: documents, refused: [], error }
  if (cause.statusCode === 400 || cause.statusCode === 413)
    return { written: [], retry: [], refused: documents, refusal: error.message }
  const waitMs = retryAfterMs(cause.headers?.['retry-after'], { nowMs, maxMs: MAX_RETRY_AFTER_MS })
  return { written: [], retry: documents, refused: [], error, retryAfterMs: waitMs }
}
