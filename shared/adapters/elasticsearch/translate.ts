import { errors } from '@elastic/elasticsearch'
import { type ErrorCode, FreshetError } from '@freshet/errors/errors.ts'

/** What the client throws, as one of ours, by status and type. */
export function translateElasticsearchError(error: unknown, doing: string): FreshetError {
  if (error instanceof FreshetError) return error
  if (error instanceof errors.ResponseError) {
    const reason = reasonOf(error)
    return new FreshetError(
      codeOf(error.statusCode ?? 0, reason.type),
      `${doing}: ${error.statusCode} ${reason.text}`,
      {
        cause: error,
      },
    )
  }
  if (error instanceof errors.ElasticsearchClientError)
    return new FreshetError('ELASTICSEARCH_UNREACHABLE', `${doing}: ${error.name}: ${error.message}`, {
      cause: error,
    })
  return new FreshetError('BUG', `${doing}: ${String(error)}`, { cause: error })
}

function codeOf(status: number, type: string): ErrorCode {
  if (status === 401 || status === 403) return 'ELASTICSEARCH_UNAUTHORIZED'
  if (type === 'index_not_found_exception') return 'INDEX_MISSING'
  if (type === 'index_closed_exception' || type === 'no_shard_available_action_exception')
    return 'SHARD_UNAVAILABLE'
  if (status === 429 || status >= 500) return 'ELASTICSEARCH_UNREACHABLE'
  return 'ELASTICSEARCH_REFUSED'
}

function reasonOf(error: errors.ResponseError): { type: string; text: string } {
  const { type, reason } =
    (error.body as { error?: { type?: string; reason?: string } } | undefined)?.error ?? {}
  return { type: type ?? '', text: reason ?? type ?? error.message.slice(0, 200) }
}
