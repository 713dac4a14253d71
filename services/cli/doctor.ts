import { checkCapturable } from '@freshet/adapters/elasticsearch/check.ts'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { checkTopics } from '@freshet/adapters/kafka/topics.ts'
import { checkRedis } from '@freshet/adapters/redis/check.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { describeError, FreshetError } from '@freshet/errors/errors.ts'
import { loadPromotedModel } from '@freshet/model/model-store.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'

export interface CheckResult {
  readonly name: string
  /** What is wrong and what to do. */
  readonly error?: string
}

interface Check {
  readonly name: string
  readonly run: (settings: Settings, signal: AbortSignal) => Promise<unknown>
}

const PATIENCE_MS = 10_000

export const CHECKS: readonly Check[] = [
  {
    name: 'Elasticsearch and its index',
    run: ({ elasticsearch }, signal) =>
      checkCapturable(connectElasticsearch(elasticsearch), elasticsearch, signal),
  },
  {
    name: 'Kafka and its topics',
    run: ({ kafka, pipeline }, signal) =>
      checkTopics(connectKafka(kafka, { clientId: 'freshet-doctor', log: quietLog }), pipeline, signal),
  },
  { name: 'Redis', run: ({ redis }) => checkRedis(redis) },
  {
    name: 'S3 and the promoted model',
    run: async ({ s3 }, signal) => {
      await using store = openS3(s3)
      await loadPromotedModel(store, signal)
    },
  },
]

/** All checks side by side; one that does not end in time is wrong too. */
export function runChecks(settings: Settings): Promise<CheckResult[]> {
  return Promise.all(
    CHECKS.map(async ({ name, run }) => {
      const signal = AbortSignal.timeout(PATIENCE_MS)
      try {
        await Promise.race([run(settings, signal), expiry(signal)])
        return { name }
      } catch (error) {
        return { name, error: describeError(error) }
      }
    }),
  )
}

function expiry(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => reject(new FreshetError('DEADLINE', `no answer within ${PATIENCE_MS / 1000} s`))
    signal.addEventListener('abort', fail, { once: true })
  })
}
