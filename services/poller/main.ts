/** Streams changed documents from Elasticsearch into `.changes`. */
import { checkCapturable } from '@freshet/adapters/elasticsearch/check.ts'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { readMaxMessageBytes } from '@freshet/adapters/kafka/message-bound.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { checkTopics } from '@freshet/adapters/kafka/topics.ts'
import { checkScope } from '@freshet/capture/check-scope.ts'
import { scopeOf } from '@freshet/capture/scope.ts'
import type { Service, ServiceContext } from '@freshet/service/service.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { withGrace } from '@freshet/stage/grace.ts'
import { CaptureLoop } from './capture/capture-loop.ts'
import { ChangeWriter } from './capture/change-writer.ts'
import { loadCursors } from './sharing/cursor-store.ts'

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
  const cursors = await loadCursors(connection, settings.pipeline, signal)
  log.info(`capturing ${settings.elasticsearch.index}, ${cursors.size} shards known`)
  using grace = withGrace(signal, GRACE_MS)
  const parts = { settings, client, scope, writer, producer, telemetry, clock, report }
  const world = { ...parts, signal, grace: grace.signal }
  await new CaptureLoop(world, cursors).run()
}
