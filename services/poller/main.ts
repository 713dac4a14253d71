/** Streams changed documents from Elasticsearch into `.changes`. */
import { checkCapturable } from '@freshet/adapters/elasticsearch/check.ts'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { readMaxMessageBytes } from '@freshet/adapters/kafka/message-bound.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { checkTopics } from '@freshet/adapters/kafka/topics.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { checkScope } from '@freshet/capture/check-scope.ts'
import { scopeOf } from '@freshet/capture/scope.ts'
import type { Service, ServiceContext } from '@freshet/service/service.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { withGrace } from '@freshet/stage/grace.ts'
import { CaptureLoop } from './capture/capture-loop.ts'
import { ChangeWriter } from './capture/change-writer.ts'
import { ShardTable } from './sharing/shard-table.ts'
import { shareShards } from './sharing/share-loop.ts'
import { trackShards } from './sharing/tracked-shards.ts'
import { SweepLoop } from './sweep/sweep-loop.ts'

const GRACE_MS = 8_000
const PRODUCE_DEADLINE_MS = 60_000

export const poller: Service = { check, run }

async function check({ settings, instance, telemetry, signal }: ServiceContext): Promise<void> {
  await using client = connectElasticsearch(settings.elasticsearch)
  for (const { verdict, reason } of await checkCapturable(client, settings.elasticsearch, signal))
    if (verdict !== 'capturable') telemetry.log.warn(`not captured: ${reason}`)
  await checkScope(client, settings.elasticsearch, signal)
  await checkTopics(
    connectKafka(settings.kafka, { clientId: instance, log: telemetry.log }),
    settings.pipeline,
    signal,
  )
}

async function run({ settings, instance, telemetry, signal, report }: ServiceContext): Promise<void> {
  const { log } = telemetry
  const clock = systemClock
  await using client = connectElasticsearch(settings.elasticsearch)
  const connection = connectKafka(settings.kafka, { clientId: instance, log })
  await using producer = new Producer(connection, { clock, log, deadlineMs: PRODUCE_DEADLINE_MS })
  const scope = scopeOf(settings.elasticsearch)
  const maxMessageBytes = await readMaxMessageBytes(connection, settings.pipeline, signal)
  const writer = new ChangeWriter({ settings, scope, maxMessageBytes, producer, telemetry, clock, report })
  await using store = openS3(settings.s3)
  const failed = new AbortController()
  const stops = AbortSignal.any([signal, failed.signal])
  using grace = withGrace(stops, GRACE_MS)
  const parts = { settings, client, producer, telemetry, clock, report, signal: stops, grace: grace.signal }

  const table = new ShardTable()
  const leaving = new AbortController()
  const { pipeline } = settings
  const sharing = shareShards({ connection, pipeline, table, producer, clock, signal: leaving.signal })
  sharing.catch(() => failed.abort())
  const sweeping = new SweepLoop(
    { ...parts, connection, store },
    trackShards(table, { producer, pipeline }),
  ).run()
  log.info(`capturing ${settings.elasticsearch.index}`)
  try {
    await new CaptureLoop({ ...parts, scope, writer }, table).run()
  } finally {
    failed.abort()
    await sweeping
    leaving.abort() // the group last: whoever takes over goes on from where this one has come to
    await sharing
  }
}
