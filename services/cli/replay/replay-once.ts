import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { RedisScoreStore } from '@freshet/adapters/redis/redis-score-store.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { readPointer } from '@freshet/model/bundle/pointer-store.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import type { Chosen } from './dead-pile.ts'
import { replayDead } from './replay-dead.ts'
import type { ReplayReport } from './replay-report.ts'

const PRODUCE_DEADLINE_MS = 60_000

export interface ReplayOptions extends Chosen {
  readonly isDryRun: boolean
  readonly onProgress: (line: string) => void
}

/** A replay with connections of its own. @throws as replayDead, and S3_… */
export async function replayOnce(
  settings: Settings,
  options: ReplayOptions,
  signal: AbortSignal,
): Promise<ReplayReport> {
  const { pipeline } = settings
  await using client = connectElasticsearch(settings.elasticsearch)
  const connection = connectKafka(settings.kafka, { clientId: 'freshet-replay', log: quietLog })
  await using producer = new Producer(connection, {
    clock: systemClock,
    log: quietLog,
    deadlineMs: PRODUCE_DEADLINE_MS,
  })
  await using store = openS3(settings.s3)
  await using redis = await RedisScoreStore.open(settings.redis, { pipeline, log: quietLog })
  const world = {
    settings,
    client,
    connection,
    producer,
    storedScore: (key: string) => redis.get(key),
    generation: (await readPointer(store, signal))?.generation ?? 0,
    clock: systemClock,
    onProgress: options.onProgress,
  }
  return await replayDead(world, options, signal)
}
