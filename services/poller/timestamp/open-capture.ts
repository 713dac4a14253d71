import { readState } from '@freshet/adapters/elasticsearch/shards-api.ts'
import { isFreshetError } from '@freshet/errors/errors.ts'
import type { Cursor } from '@freshet/records/cursor.ts'
import type { CaptureWorld } from '../capture/world.ts'
import { saveCursors } from '../sharing/cursor-store.ts'
import { IndexCapture } from './index-capture.ts'
import { beginCursor } from './stored-progress.ts'
import type { TimestampTable } from './timestamp-table.ts'

/** An index of which this poller holds the cursor, as a look has shown it. */
export interface HeldIndex {
  /** Of its cursor. */
  readonly key: string
  readonly name: string
  readonly uuid: string
  readonly shards: number
}

/**
 * The capture of an index: the current one; or one that goes on from what is stored, at the start and where another
 * poller has got ahead of us under a higher epoch, which outranks ours; or one from the beginning.
 * @throws as readState and Producer.send do
 */
export async function openCapture(
  world: CaptureWorld,
  table: TimestampTable,
  index: HeldIndex,
  current: IndexCapture | undefined,
): Promise<IndexCapture> {
  const stored = table.cursor(index.key)
  if (current !== undefined && (stored?.epoch ?? 0) <= current.cursor.epoch) {
    if (table.mustSave(index.key)) await current.saveAgain()
    return current
  }
  const isOurs = stored?.scope === scopeOf(world)
  return new IndexCapture(world, index.shards, isOurs ? stored : await begin(world, table, index, stored))
}

async function begin(
  world: CaptureWorld,
  table: TimestampTable,
  { key, name, uuid }: HeldIndex,
  before: Cursor | undefined,
): Promise<Cursor> {
  const { clock, producer, settings, grace, telemetry } = world
  const epoch = table.takeEpoch(key, clock.nowMs())
  const cursor = beginCursor({
    ...{ index: name, indexUuid: uuid, epoch, before },
    clusterUuid: await readClusterUuid(world, name),
    scope: scopeOf(world),
  })
  await saveCursors(producer, settings.pipeline, [cursor], grace)
  telemetry.log.info(`capture of ${name} starts at the beginning, epoch ${epoch}`)
  return cursor
}

/** Empty where nobody may ask: without the privilege, or on Elasticsearch Serverless. This mode does without. */
async function readClusterUuid({ client, signal }: CaptureWorld, index: string): Promise<string> {
  try {
    return (await readState(client, index, signal)).cluster_uuid
  } catch (error) {
    const mayNotAsk =
      isFreshetError(error, 'ELASTICSEARCH_UNAUTHORIZED') || isFreshetError(error, 'ELASTICSEARCH_REFUSED')
    if (!mayNotAsk) throw error
    return ''
  }
}

/** Another field, like another scope, is another capture. */
function scopeOf({ scope, settings }: CaptureWorld): string {
  return `timestamp/${settings.elasticsearch.timestampField}/${scope.hash}`
}
