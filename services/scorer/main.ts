/** Turns changes into scores, and carries scores to Redis and to S3: three workers, each with its own consumer group. */
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { checkTopics } from '@freshet/adapters/kafka/topics.ts'
import { checkRedis } from '@freshet/adapters/redis/check.ts'
import { RedisScoreStore } from '@freshet/adapters/redis/redis-score-store.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { isFreshetError } from '@freshet/errors/errors.ts'
import { readPointer } from '@freshet/model/bundle/pointer-store.ts'
import type { Service, ServiceContext } from '@freshet/service/service.ts'
import { refuseForeignSnapshot } from '@freshet/snapshot/manifest.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { runCache } from './cache/cache-loop.ts'
import { DeadLetters } from './dead-letters.ts'
import { runInfer } from './infer-worker.ts'
import { PRODUCE_DEADLINE_MS } from './produce-deadline.ts'
import { runSideBySide, type Worker } from './side-by-side.ts'
import type { FlushBell } from './snapshot/flush-bell.ts'
import { runSnapshot } from './snapshot/snapshot-loop.ts'

export const scorer: Service = { check, run: (context) => runScorer(context) }

/** A model that was never promoted, or is not what was promoted, is waited for: cache and snapshot go on without. */
async function check({ settings, instance, telemetry, signal }: ServiceContext): Promise<void> {
  const connection = connectKafka(settings.kafka, { clientId: instance, log: telemetry.log })
  await checkTopics(connection, settings.pipeline, signal)
  await checkRedis(settings.redis)
  await using store = openS3(settings.s3)
  await refuseForeignSnapshot(store, settings.pipeline, signal)
  await readPointer(store, signal).catch((error: unknown) => {
    if (!isFreshetError(error, 'RECORD_MALFORMED') && !isFreshetError(error, 'RECORD_VERSION')) throw error
  })
}

/** @param parts.bell asks the snapshot worker for a flush */
export async function runScorer(
  context: ServiceContext,
  { bell }: { readonly bell?: FlushBell } = {},
): Promise<void> {
  const { settings, instance, telemetry, report } = context
  const { log } = telemetry
  const { pipeline } = settings
  const clock = systemClock
  const connection = connectKafka(settings.kafka, { clientId: instance, log })
  await using store = openS3(settings.s3)
  await using producer = new Producer(connection, { clock, log, deadlineMs: PRODUCE_DEADLINE_MS })
  const deadLetters = new DeadLetters({ pipeline, producer, telemetry, clock })

  const workers: Record<Settings['scorer']['workers'][number], Worker> = {
    infer: (signal) => runInfer({ ...context, signal }, { connection, producer, deadLetters, store, clock }),
    cache: async (signal) => {
      await using cache = await RedisScoreStore.open(settings.redis, { pipeline, log })
      await runCache({ ...context, signal }, { connection, store, deadLetters, cache, clock })
    },
    snapshot: (signal) =>
      runSnapshot({ ...context, signal }, { connection, store, clock, ...(bell && { bell }) }),
  }
  const names = [...new Set(settings.scorer.workers)]
  await runSideBySide(new Map(names.map((name) => [name, workers[name]])), context.signal, {
    log,
    clock,
    // A broken manifest is for someone to mend; meanwhile scores still reach Redis.
    dispensable: new Set(names.length > 1 ? ['snapshot'] : []),
    report,
  })
}
