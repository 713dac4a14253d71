import { type ErrorCode, FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import kafkajs from './kafkajs/kafkajs.ts'

/** What a broker's answer means to us, by its protocol name. */
const BY_TYPE: Readonly<Record<string, ErrorCode>> = {
  MESSAGE_TOO_LARGE: 'KAFKA_MESSAGE_TOO_LARGE',
  RECORD_LIST_TOO_LARGE: 'KAFKA_MESSAGE_TOO_LARGE',
  UNKNOWN_TOPIC_OR_PARTITION: 'TOPIC_MISSING',
  SASL_AUTHENTICATION_FAILED: 'KAFKA_UNAUTHORIZED',
  UNSUPPORTED_SASL_MECHANISM: 'KAFKA_UNAUTHORIZED',
  TOPIC_AUTHORIZATION_FAILED: 'KAFKA_UNAUTHORIZED',
  GROUP_AUTHORIZATION_FAILED: 'KAFKA_UNAUTHORIZED',
  CLUSTER_AUTHORIZATION_FAILED: 'KAFKA_UNAUTHORIZED',
  REBALANCE_IN_PROGRESS: 'KAFKA_STALE',
  ILLEGAL_GENERATION: 'KAFKA_STALE',
  UNKNOWN_MEMBER_ID: 'KAFKA_STALE',
  FENCED_INSTANCE_ID: 'KAFKA_STALE',
}

/** What kafkajs's own errors mean; those that it would retry and that are not here mean that nobody answered. */
const BY_NAME: Readonly<Record<string, ErrorCode>> = {
  KafkaJSSASLAuthenticationError: 'KAFKA_UNAUTHORIZED',
  KafkaJSGroupCoordinatorNotFound: 'KAFKA_UNREACHABLE',
  KafkaJSTimeout: 'KAFKA_UNREACHABLE',
  KafkaJSLockTimeout: 'KAFKA_UNREACHABLE',
}

/** A plain Error, which kafkajs throws when it asks a broker that took the connection and then did not answer. */
const NOT_CONNECTED = 'Broker not connected'

/** The one place where errors of kafkajs become ours. Its wrappers are looked through; what is unknown is a BUG. */
export function toKafkaError(error: unknown, doing: string): FreshetError {
  if (error instanceof FreshetError) return error
  for (const at of chain(error)) {
    const code = codeOf(at)
    if (code) return new FreshetError(code, `${doing}: ${at.message}`, { cause: error })
  }
  return toFreshetError(error)
}

/** The coordinator says that this member is no longer, or not for long, what it was. */
export function isMembershipLoss(error: unknown): boolean {
  return toKafkaError(error, '').code === 'KAFKA_STALE'
}

function codeOf(error: Error): ErrorCode | undefined {
  if (error instanceof FreshetError) return error.code
  const byType = 'type' in error && typeof error.type === 'string' ? BY_TYPE[error.type] : undefined
  if (byType ?? BY_NAME[error.name]) return byType ?? BY_NAME[error.name]
  if (error.message === NOT_CONNECTED) return 'KAFKA_UNREACHABLE'
  if (!(error instanceof kafkajs.KafkaJSError)) return undefined
  if (error.retriable) return 'KAFKA_UNREACHABLE'
  return 'type' in error && error.type !== undefined ? 'KAFKA_REFUSED' : undefined
}

/** Innermost first: kafkajs wraps the telling error into "retries exceeded" and "not retriable". */
function chain(error: unknown): Error[] {
  const found: Error[] = []
  for (let at = error; at instanceof Error && found.length < 10; at = at.cause) {
    found.unshift(at)
    const inner = 'errors' in at && Array.isArray(at.errors) ? at.errors[0] : undefined
    if (inner instanceof Error && at.cause === undefined) found.unshift(inner)
  }
  return found
}
