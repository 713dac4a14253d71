import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { checkTopics } from '@freshet/adapters/kafka/topics.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { readPointer } from '@freshet/model/bundle/pointer-store.ts'
import type { ServiceContext } from '@freshet/service/service.ts'

/** What a run cannot begin without; whether its services can begin is asked only when there is something to do. */
export async function check({ settings, instance, telemetry, signal }: ServiceContext): Promise<void> {
  if (settings.elasticsearch.mode === 'timestamp')
    throw new FreshetError(
      'USAGE',
      'once knows by sequence numbers when all is captured: not with elasticsearch.mode timestamp',
    )
  const connection = connectKafka(settings.kafka, { clientId: instance, log: telemetry.log })
  await checkTopics(connection, settings.pipeline, signal)
  await using store = openS3(settings.s3)
  if ((await readPointer(store, signal)) === null)
    throw new FreshetError('MODEL_MISSING', 'no model is promoted')
}
