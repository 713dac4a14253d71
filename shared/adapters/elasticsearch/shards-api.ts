/** The two requests behind shards.ts, and the shapes of their answers. */
import type { Client } from '@elastic/elasticsearch'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import { MAX_PRIMARY_TERM } from '@freshet/records/revision.ts'
import { z } from 'zod'
import { ask, type Question } from './ask.ts'

const blockSchema = z.object({ levels: z.array(z.string()) })

const stateSchema = z.object({
  cluster_uuid: z.string(),
  blocks: z.object({ global: z.record(z.string(), blockSchema).optional() }).optional(),
  metadata: z
    .object({
      indices: z
        .record(
          z.string(),
          z.object({
            state: z.enum(['open', 'close']),
            settings: z.object({ index: z.object({ uuid: z.string() }) }),
            /** By shard number. */
            primary_terms: z.record(z.string().regex(/^\d+$/), z.int().min(0).max(MAX_PRIMARY_TERM)),
          }),
        )
        .optional(),
    })
    .optional(),
  routing_table: z
    .object({
      indices: z
        .record(
          z.string(),
          z.object({
            shards: z.record(
              z.string(),
              z.array(
                z.object({
                  primary: z.boolean(),
                  node: z.string().nullish(),
                  allocation_id: z.object({ id: z.string() }).optional(),
                }),
              ),
            ),
          }),
        )
        .optional(),
    })
    .optional(),
})

const copySchema = z.object({
  routing: z.object({ primary: z.boolean(), node: z.string().nullable(), state: z.string() }),
  seq_no: z
    .object({
      max_seq_no: z.int(),
      local_checkpoint: z.int().optional(),
      global_checkpoint: z.int(),
    })
    .optional(),
  indexing: z.object({ delete_total: z.int() }).optional(),
  commit: z.object({ user_data: z.object({ history_uuid: z.string().optional() }).optional() }).optional(),
})

const statsSchema = z.object({
  indices: z
    .record(
      z.string(),
      z.object({
        uuid: z.string().optional(),
        shards: z.record(z.string(), z.array(copySchema)).optional(),
      }),
    )
    .optional(),
})

export type ClusterState = z.infer<typeof stateSchema>
export type Stats = z.infer<typeof statsSchema>
export type ShardCopy = z.infer<typeof copySchema>

/** @throws ELASTICSEARCH_UNREACHABLE also while a block hides what exists: before recovery the state is empty; HIT_MALFORMED */
export async function readState(client: Client, index: string, signal: AbortSignal): Promise<ClusterState> {
  const question = {
    ...about(index, stateSchema),
    path: `/_cluster/state/metadata,routing_table,blocks/${encodeURIComponent(index)}`,
    querystring: {
      expand_wildcards: 'open,closed',
      filter_path:
        'cluster_uuid,blocks.global.*.levels,metadata.indices.*.state,metadata.indices.*.settings.index.uuid,metadata.indices.*.primary_terms,routing_table.indices.*.shards.*.primary,routing_table.indices.*.shards.*.node,routing_table.indices.*.shards.*.allocation_id.id',
    },
  }
  const state = await ask(client, question, signal)
  const hides = Object.values(state.blocks?.global ?? {}).some(({ levels }) =>
    levels.includes('metadata_read'),
  )
  if (hides || state.cluster_uuid === '_na_')
    throw new FreshetError('ELASTICSEARCH_UNREACHABLE', 'the cluster has not recovered its state yet')
  return state
}

/** Statistics of all open indices; one with a block against reading its metadata is left out, not all of them. */
export async function readStats(client: Client, index: string, signal: AbortSignal): Promise<Stats> {
  try {
    return await askStats(client, index, signal)
  } catch (error) {
    if (!isFreshetError(error, 'INDEX_BLOCKED')) throw error
    const names = await namesWithoutBlock(client, index, signal)
    const parts = await Promise.all(batchesOf(names).map((batch) => askStats(client, batch, signal)))
    return { indices: Object.assign({}, ...parts.map((part) => part.indices ?? {})) }
  }
}

function askStats(client: Client, index: string, signal: AbortSignal): Promise<Stats> {
  const question = {
    ...about(index, statsSchema),
    path: `/${encodeURIComponent(index)}/_stats/indexing`,
    querystring: {
      level: 'shards',
      ignore_unavailable: true, // an alias with a closed index is refused as a whole without it
      filter_path:
        'indices.*.uuid,indices.*.shards.*.routing,indices.*.shards.*.seq_no,indices.*.shards.*.indexing.delete_total,indices.*.shards.*.commit.user_data.history_uuid',
    },
  }
  return ask(client, question, signal)
}

async function namesWithoutBlock(client: Client, index: string, signal: AbortSignal): Promise<string[]> {
  const question = {
    ...about(index, blockedSchema),
    path: `/_cluster/state/metadata,blocks/${encodeURIComponent(index)}`,
    querystring: { filter_path: 'blocks.indices.*.*.levels,metadata.indices.*.state' },
  }
  const { blocks, metadata } = await ask(client, question, signal)
  const isHidden = (name: string) =>
    Object.values(blocks?.indices?.[name] ?? {}).some(({ levels }) => levels.includes('metadata_read'))
  return Object.keys(metadata?.indices ?? {}).filter((name) => !isHidden(name))
}

const blockedSchema = z.object({
  blocks: z
    .object({ indices: z.record(z.string(), z.record(z.string(), blockSchema)).optional() })
    .optional(),
  metadata: z.object({ indices: z.record(z.string(), z.unknown()).optional() }).optional(),
})

/** Lists of names that fit into the first line of a request, which Elasticsearch limits to 4 kB. */
function batchesOf(names: readonly string[]): string[] {
  const batches: string[] = []
  for (const name of names) {
    const last = batches.at(-1)
    if (last !== undefined && last.length + name.length < MAX_NAMES_LENGTH)
      batches[batches.length - 1] = `${last},${name}`
    else batches.push(name)
  }
  return batches
}

const MAX_NAMES_LENGTH = 1_000

function about<T>(index: string, schema: z.ZodType<T>): Pick<Question<T>, 'schema' | 'doing'> {
  return { schema, doing: `reading the shards of ${index}` }
}
