import type { Client } from '@elastic/elasticsearch'
import { z } from 'zod'
import { inShape } from './ask.ts'
import { translateElasticsearchError } from './translate.ts'

const uuidsSchema = z.record(
  z.string(),
  z.object({
    settings: z.object({ index: z.object({ uuid: z.string().optional() }).optional() }).optional(),
  }),
)

/**
 * The indices behind an index, alias or pattern by name, with their uuids: a cheap question where there are no
 * checkpoints to ask for. Needs the privilege `view_index_metadata`.
 * @throws ELASTICSEARCH_UNREACHABLE, ELASTICSEARCH_UNAUTHORIZED, INDEX_MISSING
 */
export async function readIndexUuids(
  client: Client,
  index: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const doing = `reading the indices of ${index}`
  try {
    const found = await client.indices.get({ index, filter_path: '*.settings.index.uuid' }, { signal })
    const indices = Object.entries(inShape(uuidsSchema, found, doing))
    return new Map(indices.map(([name, { settings }]) => [name, settings?.index?.uuid ?? '']))
  } catch (error) {
    throw translateElasticsearchError(error, doing)
  }
}
