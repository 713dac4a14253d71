/** What each server is called, who works with it, and the errors that say that it is away. */
import type { ErrorCode } from '@freshet/errors/errors.ts'
import type { Facts, Fault } from '@freshet/records/facts.ts'
import { codeOf } from './living.ts'
import type { Server } from './rule.ts'

export const SERVERS = ['kafka', 'elasticsearch', 'redis', 's3'] as const satisfies readonly Server[]

export const SERVER_NAMES: Readonly<Record<Server, string>> = {
  kafka: 'Kafka',
  elasticsearch: 'Elasticsearch',
  redis: 'Redis',
  s3: 'S3',
}

const AWAY: Readonly<Record<Server, readonly ErrorCode[]>> = {
  kafka: ['KAFKA_UNREACHABLE', 'KAFKA_UNAUTHORIZED', 'KAFKA_PRODUCE_DEADLINE'],
  elasticsearch: ['ELASTICSEARCH_UNREACHABLE', 'ELASTICSEARCH_UNAUTHORIZED'],
  redis: ['REDIS_UNREACHABLE', 'REDIS_UNAUTHORIZED'],
  s3: ['S3_UNREACHABLE', 'S3_UNAUTHORIZED', 'BUCKET_MISSING'],
}

/** The server that an error says is away, or lets nobody in; undefined for all other errors. */
export function serverOf(code: string): Server | undefined {
  return SERVERS.find((server) => (AWAY[server] as readonly string[]).includes(code))
}

/** What the watchdog itself met at its last look at a server. */
export function faultAt({ kafka, capture, redis, snapshot, model }: Facts, server: Server): Fault | null {
  switch (server) {
    case 'kafka':
      return kafka.fault
    case 'elasticsearch':
      return capture.fault
    case 'redis':
      return redis.fault
    case 's3':
      return faultOfBoth(snapshot.fault, model.fault)
  }
}

/** Of two looks at one server: where one is answered, a late answer to the other is no sign that it is away. */
function faultOfBoth(one: Fault | null, other: Fault | null): Fault | null {
  if (one !== null && other !== null) return one
  const only = one ?? other
  return only === null || isNoAnswer(codeOf(only.error)) ? null : only
}

const NO_ANSWER: readonly string[] = [
  'DEADLINE',
  'KAFKA_UNREACHABLE',
  'ELASTICSEARCH_UNREACHABLE',
  'REDIS_UNREACHABLE',
  'S3_UNREACHABLE',
] satisfies ErrorCode[]

/** There was no answer, where else there was one that helps nobody. */
export function isNoAnswer(code: string): boolean {
  return NO_ANSWER.includes(code)
}

/** What a worker cannot do without, beside Kafka. */
const NEEDED: Readonly<Record<string, readonly Server[]>> = {
  capture: ['elasticsearch'],
  infer: ['s3'],
  model: ['s3'],
  snapshot: ['s3'],
  cache: ['redis'],
  refill: ['redis', 's3'],
  verify: ['elasticsearch', 'redis', 's3'],
}

export function neededBy(worker: string): readonly Server[] {
  return ['kafka', ...(NEEDED[worker] ?? [])]
}
