import type { Client } from '@elastic/elasticsearch'
import { isFreshetError } from '@freshet/errors/errors.ts'
import { z } from 'zod'
import { ask } from './ask.ts'
import type { IndexDescription } from './judge-index.ts'
import { readState } from './shards-api.ts'

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
  const question = {
    path: `/${encodeURIComponent(index)}`,
    querystring: { expand_wildcards: 'open,closed', include_defaults: true, filter_path: FIELDS },
    schema: z.record(z.string(), indexSchema),
    doing: `looking at ${index}`,
  }
  const answer = await ask(client, question, signal)
  return new Map(Object.entries(answer).map(([name, entry]) => [name, toDescription(entry)]))
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

const text = z.string().optional()

const settingsSchema = z.object({
  index: z
    .object({
      uuid: text,
      number_of_shards: text,
      mode: text,
      verified_before_close: text,
      disable_sequence_numbers: text,
      blocks: z.object({ read: text }).optional(),
      mapping: z.object({ source: z.object({ mode: text }).optional() }).optional(),
      store: z.object({ type: text }).optional(),
      source_only: text,
      frozen: text,
    })
    .optional(),
})

const fieldsSchema = z.union([z.string(), z.array(z.string())]).optional()

const indexSchema = z.object({
  settings: settingsSchema.optional(),
  defaults: settingsSchema.optional(),
  mappings: z
    .object({
      _source: z
        .object({
          enabled: z.boolean().optional(),
          mode: text,
          includes: fieldsSchema,
          excludes: fieldsSchema,
        })
        .optional(),
    })
    .optional(),
  aliases: z.record(z.string(), z.unknown()).optional(),
})

type IndexAnswer = z.infer<typeof indexSchema>
type IndexSettings = NonNullable<z.infer<typeof settingsSchema>['index']>

/** Values of settings are strings, whatever was sent. */
export function toDescription({ settings, defaults, mappings, aliases = {} }: IndexAnswer): IndexDescription {
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
