import type { Client } from '@elastic/elasticsearch'
import { isFreshetError } from '@freshet/errors/errors.ts'
import type { IndexDescription } from './judge-index.ts'
import { readState } from './shards-api.ts'
import { translateElasticsearchError } from './translate.ts'

/** By the index's name; null where index.blocks.metadata hides it. */
export type Descriptions = ReadonlyMap<string, IndexDescription | null>

/**
 * Every index behind an index name, alias or pattern, open or closed. Needs `view_index_metadata`; an index for which
 * it is not granted is left out under a wildcard, so absence here never means that an index is gone.
 * @throws INDEX_MISSING for a name without index; a pattern without match gives none
 */
export async function describeIndices(
  client: Client,
  index: string,
  signal: AbortSignal,
): Promise<Descriptions> {
  try {
    return await describe(client, index, signal)
  } catch (error) {
    if (!isFreshetError(error, 'INDEX_BLOCKED')) throw error
    return await describeOneByOne(client, index, signal)
  }
}

/** One block makes the answer for a whole pattern a refusal. */
async function describeOneByOne(client: Client, index: string, signal: AbortSignal): Promise<Descriptions> {
  const { metadata } = await readState(client, index, signal)
  const all = new Map<string, IndexDescription | null>()
  for (const name of Object.keys(metadata?.indices ?? {}))
    try {
      for (const entry of await describe(client, name, signal)) all.set(...entry)
    } catch (error) {
      if (isFreshetError(error, 'INDEX_BLOCKED')) all.set(name, null)
      else if (!isFreshetError(error, 'INDEX_MISSING')) throw error // deleted meanwhile
    }
  return all
}

async function describe(
  client: Client,
  index: string,
  signal: AbortSignal,
): Promise<Map<string, IndexDescription>> {
  try {
    const answer = await client.transport.request<Record<string, GetIndexAnswer>>(
      {
        method: 'GET',
        path: `/${encodeURIComponent(index)}`,
        querystring: { expand_wildcards: 'open,closed', include_defaults: true, filter_path: FIELDS },
      },
      { signal },
    )
    return new Map(Object.entries(answer).map(([name, entry]) => [name, toDescription(entry)]))
  } catch (error) {
    throw translateElasticsearchError(error, `looking at ${index}`)
  }
}

const SETTINGS = [
  'uuid',
  'number_of_shards',
  'mode',
  'verified_before_close',
  'disable_sequence_numbers',
  'blocks.read',
  'mapping.source.mode',
  'store.type',
  'source_only',
  'frozen',
]
/** What a version does not know is left out of its answer. */
const FIELDS = [
  ...SETTINGS.flatMap((name) => [`*.settings.index.${name}`, `*.defaults.index.${name}`]),
  '*.mappings._source',
  '*.aliases.*.filter',
].join()

interface IndexSettings {
  readonly uuid?: string
  readonly number_of_shards?: string
  readonly mode?: string
  readonly verified_before_close?: string
  readonly disable_sequence_numbers?: string
  readonly blocks?: { readonly read?: string }
  readonly mapping?: { readonly source?: { readonly mode?: string } }
  readonly store?: { readonly type?: string }
  readonly source_only?: string
  readonly frozen?: string
}

interface GetIndexAnswer {
  readonly settings?: { readonly index?: IndexSettings }
  readonly defaults?: { readonly index?: IndexSettings }
  readonly mappings?: {
    readonly _source?: {
      readonly enabled?: boolean
      readonly mode?: string
      readonly includes?: readonly string[]
      readonly excludes?: readonly string[]
    }
  }
  readonly aliases?: Readonly<Record<string, { readonly filter?: unknown }>>
}

/** Values of settings are strings, whatever was sent. */
export function toDescription({
  settings,
  defaults,
  mappings,
  aliases = {},
}: GetIndexAnswer): IndexDescription {
  const own = settings?.index ?? {}
  const source = mappings?._source ?? {}
  return {
    uuid: own.uuid ?? '',
    shards: Number(own.number_of_shards ?? defaults?.index?.number_of_shards ?? 1),
    kind: own.mode ?? defaults?.index?.mode ?? 'standard',
    isClosed: own.verified_before_close === 'true',
    isReadBlocked: own.blocks?.read === 'true',
    hasSequenceNumbers:
      (own.disable_sequence_numbers ?? defaults?.index?.disable_sequence_numbers) !== 'true',
    source: sourceOf(
      source.enabled === false
        ? 'disabled'
        : (source.mode ?? own.mapping?.source?.mode ?? defaults?.index?.mapping?.source?.mode),
    ),
    prunesSource: (source.includes ?? []).length > 0 || (source.excludes ?? []).length > 0,
    archive: archiveOf(own),
    filteredAliases: Object.keys(aliases),
  }
}

function sourceOf(mode: string | undefined): IndexDescription['source'] {
  const name = mode?.toLowerCase()
  return name === 'synthetic' || name === 'disabled' ? name : 'stored'
}

function archiveOf({ store, source_only, frozen }: IndexSettings): IndexDescription['archive'] {
  if (source_only === 'true') return 'source-only'
  if (store?.type === 'snapshot') return 'searchable snapshot'
  return frozen === 'true' ? 'frozen' : null
}
