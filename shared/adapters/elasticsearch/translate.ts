import { errors } from '@elastic/elasticsearch'
import { type ErrorCode, FreshetError } from '@freshet/errors/errors.ts'

/** What the client throws, as one of ours. */
export function translateElasticsearchError(error: unknown, doing: string): FreshetError {
  if (error instanceof FreshetError) return error
  if (error instanceof errors.ResponseError) return refusal(error.statusCode ?? 0, error.body, doing)
  if (error instanceof errors.ElasticsearchClientError)
    return new FreshetError('ELASTICSEARCH_UNREACHABLE', `${doing}: ${error.message}`, { cause: error })
  // The client writes a refusal into its message by recursion, which a body of lists in lists makes too deep.
  if (error instanceof RangeError)
    return new FreshetError('HIT_MALFORMED', `${doing}: the answer cannot be read: ${error.message}`, {
      cause: error,
    })
  return new FreshetError('BUG', `${doing}: ${String(error)}`, { cause: error })
}

/** The body of an answer with an error status. */
export interface Problem {
  readonly error?: Cause & { readonly root_cause?: readonly Cause[] }
}

interface Cause {
  readonly type?: string
  readonly reason?: string
}

/** An answer with an error status, by status and error type, never by wording. */
export function refusal(status: number, body: unknown, doing: string): FreshetError {
  const problem = body as Problem | undefined
  const type = textOf(problem?.error?.type) ?? ''
  const reason = causeReasonOf(problem) ?? type
  const cause = causeTypeOf(problem) ?? type
  const code = SHARD_IS_NOT_READY.has(cause) ? 'SHARD_UNAVAILABLE' : codeOf(status, type)
  return new FreshetError(code, `${doing}: ${status} ${reason}`)
}

/** What a shard said, where the error itself only says that all of them failed. */
function causeOf(problem: Problem | undefined): Cause {
  return problem?.error?.root_cause?.[0] ?? problem?.error ?? {}
}

/** What is wrong, in a sentence. */
export function causeReasonOf(problem: Problem | undefined): string | undefined {
  return textOf(causeOf(problem).reason)
}

export function causeTypeOf(problem: Problem | undefined): string | undefined {
  return textOf(causeOf(problem).type)
}

/** A proxy's answer may have the same names and say something else under them. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** What a node says of a shard that it has not started yet, or no longer has: with 404 or 400, and yet it passes. */
const SHARD_IS_NOT_READY: ReadonlySet<string> = new Set([
  'illegal_index_shard_state_exception',
  'index_shard_not_started_exception',
  'index_shard_closed_exception',
  'index_closed_exception',
  'shard_not_found_exception',
])

function codeOf(status: number, type: string): ErrorCode {
  if (status === 403 && type === 'cluster_block_exception') return 'INDEX_BLOCKED'
  if (status === 401 || status === 403) return 'ELASTICSEARCH_UNAUTHORIZED'
  if (type === 'index_not_found_exception') return 'INDEX_MISSING'
  if (status === 429 || status >= 500)
    return type === 'search_phase_execution_exception' ? 'SHARD_UNAVAILABLE' : 'ELASTICSEARCH_UNREACHABLE'
  return 'ELASTICSEARCH_REFUSED'
}
