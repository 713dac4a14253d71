/** Streams changed documents from Elasticsearch into `.changes`. */
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { readMaxMessageBytes } from '@freshet/adapters/kafka/message-bound.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { checkTopics } from '@freshet/adapters/kafka/topics.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { scopeOf } from '@freshet/capture/scope.ts'
import type { Service, ServiceContext } from '@freshet/service/service.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { withGrace } from '@freshet/stage/grace.ts'
import { CaptureLoop } from './capture/capture-loop.ts'
import { ChangeWriter } from './capture/change-writer.ts'
import type { CaptureWorld } from './capture/world.ts'
import { checkIndices } from './check-indices.ts'
import { ShardTable } from './sharing/shard-table.ts'
import { shareShards } from './sharing/share-loop.ts'
import { trackShards } from './sharing/tracked-shards.ts'
import type { SweepWorld } from './sweep/sweep-effects.ts'
import { SweepLoop } from './sweep/sweep-loop.ts'
import { TimestampLoop } from './timestamp/timestamp-loop.ts'
import { TimestampTable } from './timestamp/timestamp-table.ts'

/** For what was read to be sent. With 3 s to leave the group and up to 4 s for the last heartbeat: the 10 s of a stop. */
const GRACE_MS = 3_000
const PRODUCE_DEADLINE_MS = 60_000

export const poller: Service = { check, run }

async function check({ settings, instance, telemetry, signal }: ServiceContext): Promise<void> {
  await using client = connectElasticsearch(settings.elasticsearch)
  const connection = connectKafka(settings.kafka, { clientId: instance, log: telemetry.log })
  await checkIndices({ client, connection, settings }, signal)
  await checkTopics(connection, settings.pipeline, signal)
}

async function run({ settings, instance, telemetry, signal, report }: ServiceContext): Promise<void> {
  const { log } = telemetry
  const { pipeline, elasticsearch } = settings
  const clock = systemClock
  await using client = connectElasticsearch(elasticsearch)
  const connection = connectKafka(settings.kafka, { clientId: instance, log })
  await using producer = new Producer(connection, { clock, log, deadlineMs: PRODUCE_DEADLINE_MS })
  const scope = scopeOf(elasticsearch)
  const maxMessageBytes = await readMaxMessageBytes(connection, pipeline, signal)
  const writer = new ChangeWriter({ settings, scope, maxMessageBytes, producer, telemetry, clock, report })
  const failed = new AbortController()
  const stops = AbortSignal.any([signal, failed.signal])
  using grace = withGrace(stops, GRACE_MS)
  const parts = { settings, client, producer, telemetry, clock, report, signal: stops, grace: grace.signal }
  const capture = { ...parts, scope, writer }

  const { table, work } =
    elasticsearch.mode === 'timestamp'
      ? captureByTimestamp(capture)
      : captureBySeqNo(capture, { ...parts, connection }, failed)
  const leaving = new AbortController()
  const sharing = shareShards({
    ...{ connection, pipeline, table, producer, telemetry, clock },
    signal: leaving.signal,
  })
  sharing.catch(() => failed.abort())
  log.info(`capturing ${elasticsearch.index}`)
  try {
    await work()
  } finally {
    leaving.abort() // the group last: whoever takes over goes on from where this one has come to
    await Promise.all([sharing, producer[Symbol.asyncDispose]()]) // at once: each waits for a Kafka that is away
  }
}

/** Deletes leave no trace that the capture sees: a sweep finds them. */
function captureBySeqNo(capture: CaptureWorld, sweep: Omit<SweepWorld, 'store'>, ending: AbortController) {
  const table = new ShardTable()
  const { producer, settings } = capture
  const work = async () => {
    await using store = openS3(settings.s3)
    const tracked = trackShards(table, { producer, pipeline: settings.pipeline })
    const sweeping = new SweepLoop({ ...sweep, store }, tracked).run()
    sweeping.catch(() => ending.abort())
    try {
      await new CaptureLoop(capture, table).run()
    } finally {
      ending.abort()
      await sweeping
    }
  }
  return { table, work }
}

/** Without sequence numbers there is no sweep either: deletes are those that the filter or the soft-delete field shows. */
function captureByTimestamp(capture: CaptureWorld) {
  const table = new TimestampTable()
  return { table, work: () => new TimestampLoop(capture, table).run() }
}
