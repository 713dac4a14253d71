import type { Client } from '@elastic/elasticsearch'
import { checkCapturable } from '@freshet/adapters/elasticsearch/check.ts'
import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { isAwaited } from '@freshet/capture/awaited.ts'
import { checkScope } from '@freshet/capture/check-scope.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { isFreshetError } from '@freshet/errors/errors.ts'
import { readCursors } from '@freshet/reconcile/read-cursors.ts'

interface World {
  readonly client: Client
  readonly connection: KafkaConnection
  readonly settings: Settings
}

/**
 * There is something to capture, or what may come is waited for: who does not start would never find out that an index
 * is gone, and its keys would stay scored.
 * @throws as checkCapturable does, but INDEX_MISSING only for a name that never was captured; CONFIG_INVALID
 */
export async function checkIndices({ client, connection, settings }: World, signal: AbortSignal) {
  const { pipeline, elasticsearch } = settings
  try {
    for (const { verdict, reason } of await checkCapturable(client, elasticsearch, signal))
      if (verdict !== 'capturable') connection.log.warn(`not captured: ${reason}`)
  } catch (error) {
    if (!isFreshetError(error, 'INDEX_MISSING')) throw error
    const cursors = await readCursors(connection, pipeline, signal).catch((why: unknown) => {
      throw isFreshetError(why, 'TOPIC_MISSING') ? error : why // nothing was ever captured
    })
    if (!isAwaited(elasticsearch.index, cursors)) throw error
    return // the loop says so, and goes on saying how it stands
  }
  await checkScope(client, elasticsearch, signal)
}
