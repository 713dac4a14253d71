import type { Client } from '@elastic/elasticsearch'
import { translateElasticsearchError } from './translate.ts'

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
  try {
    const found = await client.indices.get({ index, filter_path: '*.settings.index.uuid' }, { signal })
    return new Map(Object.entries(found).map(([name, { settings }]) => [name, settings?.index?.uuid ?? '']))
  } catch (error) {
    throw translateElasticsearchError(error, `reading the indices of ${index}`)
  }
}
