import { FreshetError } from '@freshet/errors/errors.ts'
import { ReplyError } from 'ioredis'
import { NEWER_VERSION } from './rank-guard.ts'

/**
 * What ioredis rejects with, as one of ours. A reply of Redis starts with its code, a word in capitals (that is the
 * protocol, not wording); everything else is the connection's fault.
 */
export function toRedisError(error: unknown, address: string): FreshetError {
  if (error instanceof FreshetError) return error
  if (error instanceof Error && 'lastNodeError' in error && error.lastNodeError !== null)
    return toRedisError(error.lastNodeError, address) // of a cluster of which no node tells where the slots are
  const options = { cause: error }
  const message = messageOf(error)
  switch (replyCode(error)) {
    case undefined:
      return new FreshetError('REDIS_UNREACHABLE', `${address}: ${message}`, options)
    case 'WRONGPASS':
    case 'NOAUTH':
    case 'NOPERM':
      return new FreshetError('REDIS_UNAUTHORIZED', `${address}: ${message}`, options)
    case 'LOADING':
    case 'MASTERDOWN':
    case 'CLUSTERDOWN':
      return new FreshetError('REDIS_UNREACHABLE', `${address}: ${message}`, options)
    case 'WRONGTYPE':
      return new FreshetError(
        'REDIS_WRONG_TYPE',
        `${address}: ${keyOf(error)} holds something else than text: ${message}`,
        options,
      )
    case NEWER_VERSION:
      return new FreshetError(
        'RECORD_VERSION',
        `${address} holds a stored score that a newer build wrote: ${message}`,
        options,
      )
    default:
      return new FreshetError('REDIS_REFUSED', `${address}: ${message}`, options)
  }
}

/** The code of an error reply, e.g. `NOSCRIPT`; undefined when Redis did not answer. */
export function replyCode(error: unknown): string | undefined {
  return error instanceof ReplyError ? messageOf(error).split(' ', 1)[0] : undefined
}

/** ioredis tells the call with the error; the keys of a script stand behind the script and their number. */
function keyOf(error: unknown): string {
  if (!(error instanceof Error) || !('command' in error)) return 'a key'
  const { name, args } = error.command as { name: string; args: readonly unknown[] }
  return String(args[name.startsWith('eval') ? 2 : 0])
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.message !== '') return error.message
  return 'code' in error ? String(error.code) : error.name // Node's AggregateError has no message, but a code
}
