import { STATUS_CODES } from 'node:http'
import type { ErrorCode, FreshetError } from '@freshet/errors/errors.ts'
import { RateLimited } from './keys/rate-limited.ts'
import { type Reply, SECURITY_HEADERS } from './reply.ts'
import { RequestFault } from './routes/request-fault.ts'
import type { Problem } from './routes/schemas.ts'

const PROBLEM_HEADERS = { 'content-type': 'application/problem+json', ...SECURITY_HEADERS }

const STATUS: Partial<Record<ErrorCode, number>> = {
  API_KEY_REFUSED: 401,
  SCOPE_MISSING: 403,
  HOST_REFUSED: 421,
  RATE_LIMITED: 429,
  REQUEST_INVALID: 400,
  REQUEST_TOO_LARGE: 413,
  HEADERS_TOO_LARGE: 431,
  MEDIA_TYPE_UNSUPPORTED: 415,
  TRANSFER_CODING_UNSUPPORTED: 501,
  ROUTE_UNKNOWN: 404,
  METHOD_NOT_ALLOWED: 405,
  KEY_UNKNOWN: 404,
  TEMPLATE_UNKNOWN: 404,
  POOL_UNKNOWN: 503,
  MODEL_MISSING: 404,
  MODEL_HASH: 503,
  MODEL_INVALID: 503,
  MODEL_GOLDEN: 503,
  S3_UNREACHABLE: 503,
  S3_UNAUTHORIZED: 503,
  S3_REFUSED: 503,
  BUCKET_MISSING: 503,
  DEADLINE: 408,
  OVERLOADED: 503,
  DOCUMENT_NOT_JSON: 422,
  FIELD_MISSING: 422,
  FIELD_TYPE: 422,
  SCORE_NOT_FINITE: 422,
}

export function statusOf(code: ErrorCode): number {
  return STATUS[code] ?? 500
}

/**
 * An error as RFC 9457 wants it, with our code, what to do, and whether the same request may do better later. What is not
 * meant for callers stays in the log.
 * @param options `allow`: the methods that the route has.
 */
export function problemReply(error: FreshetError, { allow }: { allow?: string } = {}): Reply {
  const status = statusOf(error.code)
  const headers = {
    ...PROBLEM_HEADERS,
    ...(error instanceof RateLimited && error.headers),
    ...(status === 503 && { 'retry-after': '1' }),
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    ...(status === 415 && { accept: 'application/json', 'accept-encoding': 'identity' }),
    ...(allow !== undefined && { allow }),
  }
  return { status, headers, text: JSON.stringify(problemOf(error)) }
}

/** The same as an object, for the place of one answer among others. */
export function problemOf(error: FreshetError): Problem {
  const { code, retryable, hint } = error
  const status = statusOf(code)
  return {
    type: `urn:freshet:error:${code}`,
    title: STATUS_CODES[status]!,
    status,
    detail: status === 500 ? 'the gateway failed; its log says more' : error.message,
    code,
    hint,
    retryable,
    ...(error instanceof RequestFault && { errors: [...error.faults] }),
  }
}
