import type { Client } from '@elastic/elasticsearch'
import { FreshetError } from '@freshet/errors/errors.ts'
import { translateElasticsearchError } from './translate.ts'

/**
 * What must hold before capture starts: the server answers, lets us in, and every index behind the name keeps
 * `_source` and sequence numbers.
 * @throws ELASTICSEARCH_UNREACHABLE, ELASTICSEARCH_UNAUTHORIZED, INDEX_MISSING, INDEX_NOT_CAPTURABLE
 */
export async function checkCapturable(client: Client, index: string, signal: AbortSignal): Promise<void> {
  const indices = await readIndices(client, index, signal)
  const names = Object.keys(indices)
  if (names.length === 0) throw new FreshetError('INDEX_MISSING', `no index matches ${index}`)
  for (const [name, { settings, mappings }] of Object.entries(indices)) {
    if (settings?.index?.disable_sequence_numbers === 'true')
      throw new FreshetError('INDEX_NOT_CAPTURABLE', `${name} has index.disable_sequence_numbers`)
    if (settings?.index?.mode === 'time_series')
      throw new FreshetError('INDEX_NOT_CAPTURABLE', `${name} is a time_series index`)
    if (mappings?._source?.enabled === false)
      throw new FreshetError('INDEX_NOT_CAPTURABLE', `${name} has _source disabled`)
  }
}

interface IndexDescription {
  readonly settings?: {
    readonly index?: { readonly disable_sequence_numbers?: string; readonly mode?: string }
  }
  readonly mappings?: { readonly _source?: { readonly enabled?: boolean } }
}

async function readIndices(
  client: Client,
  index: string,
  signal: AbortSignal,
): Promise<Record<string, IndexDescription>> {
  try {
    return await client.transport.request<Record<string, IndexDescription>>(
      {
        method: 'GET',
        path: `/${encodeURIComponent(index)}`,
        querystring: {
          filter_path:
            '*.settings.index.disable_sequence_numbers,*.settings.index.mode,*.settings.index.uuid,*.mappings._source.enabled',
        },
      },
      { signal },
    )
  } catch (error) {
    throw translateElasticsearchError(error, `looking at ${index}`)
  }
}
