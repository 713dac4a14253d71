import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { adviseOnTopics, checkTopics, createTopics } from '@freshet/adapters/kafka/topics.ts'
import { ensureBucket } from '@freshet/adapters/s3/s3-bucket.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { installTemplates } from '@freshet/telemetry/elasticsearch/template.ts'
import { bringToKibana } from './kibana.ts'

const KAFKA_WITHIN_MS = 60_000
/** Beside the time that kibana.waitSeconds allows. */
const KIBANA_WITHIN_MS = 90_000

/**
 * Lays out what the services expect: topics, bucket, telemetry templates; and brings our views to Kibana. Doing it again
 * changes nothing.
 */
export async function bootstrap(settings: Settings, report: (line: string) => void): Promise<void> {
  const connection = connectKafka(settings.kafka, { clientId: 'freshet-bootstrap', log: quietLog })
  const signal = AbortSignal.timeout(KAFKA_WITHIN_MS)
  const made = await createTopics(connection, settings.pipeline, settings.kafka, signal)
  await checkTopics(connection, settings.pipeline, signal)
  report(
    `topics of pipeline ${settings.pipeline} are there${made.length > 0 ? `; made just now: ${made.join(', ')}` : ''}`,
  )
  for (const advice of await adviseOnTopics(connection, settings.pipeline, signal)) report(advice)
  await ensureBucket(settings.s3)
  report(`bucket ${settings.s3.bucket} is there`)
  if (!settings.telemetry.enabled) return
  await installTemplates(settings, Date.now())
  report('templates for traces, logs and metrics are there, with their retention')
  const withinMs = KIBANA_WITHIN_MS + settings.kibana.waitSeconds * 1_000
  await bringToKibana(settings, { report, signal: AbortSignal.timeout(withinMs) })
}
