/** The two requests behind shards.ts, and the shapes of their answers. */
import type { Client } from '@elastic/elasticsearch'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import { translateElasticsearchError } from './translate.ts'

export interface ClusterState {
  readonly cluster_uuid: string
  readonly blocks?: { readonly global?: Record<string, { readonly levels: readonly string[] }> }
  readonly metadata?: { readonly indices?: Record<string, IndexMetadata> }
  readonly routing_table?: {
    readonly indices?: Record<string, { readonly shards: Record<string, readonly RoutedCopy[]> }>
  }
}

interface IndexMetadata {
  readonly state: 'open' | 'close'
  readonly settings: { readonly index: { readonly uuid: string } }
  /** By shard number. */
  readonly primary_terms: Record<string, number>
}

interface RoutedCopy {
  readonly primary: boolean
  readonly node?: string | null
  readonly allocation_id?: { readonly id: string }
}

export interface Stats {
  readonly indices?: Record<
    string,
    { readonly uuid?: string; readonly shards?: Record<string, readonly ShardCopy[]> }
  >
}

export interface ShardCopy {
  readonly routing: { readonly primary: boolean; readonly node: string | null; readonly state: string }
  readonly seq_no?: { readonly max_seq_no: number; readonly global_checkpoint: number }
  readonly indexing?: { readonly delete_total: number }
  readonly commit?: { readonly user_data?: { readonly history_uuid?: string } }
}

/** @throws ELASTICSEARCH_UNREACHABLE also while a block hides what exists: before recovery the state is empty */
export async function readState(client: Client, index: string, signal: AbortSignal): Promise<ClusterState> {
  const state = await ask<ClusterState>(client, index, signal, {
    path: `/_cluster/state/metadata,routing_table,blocks/${encodeURIComponent(index)}`,
    querystring: {
      expand_wildcards: 'open,closed',
      filter_path:
        'cluster_uuid,blocks.global.*.levels,metadata.indices.*.state,metadata.indices.*.settings.index.uuid,metadata.indices.*.primary_terms,routing_table.indices.*.shards.*.primary,routing_table.indices.*.shards.*.node,routing_table.indices.*.shards.*.allocation_id.id',
    },
  })
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
  return ask<Stats>(client, index, signal, {
    path: `/${encodeURIComponent(index)}/_stats/indexing`,
    querystring: {
      level: 'shards',
      ignore_unavailable: true, // an alias with a closed index is refused as a whole without it
      filter_path:
        'indices.*.uuid,indices.*.shards.*.routing,indices.*.shards.*.seq_no,indices.*.shards.*.indexing.delete_total,indices.*.shards.*.commit.user_data.history_uuid',
    },
  })
}

async function namesWithoutBlock(client: Client, index: string, signal: AbortSignal): Promise<string[]> {
  const { blocks, metadata } = await ask<BlockedIndices>(client, index, signal, {
    path: `/_cluster/state/metadata,blocks/${encodeURIComponent(index)}`,
    querystring: { filter_path: 'blocks.indices.*.*.levels,metadata.indices.*.state' },
  })
  const isHidden = (name: string) =>
    Object.values(blocks?.indices?.[name] ?? {}).some(({ levels }) => levels.includes('metadata_read'))
  return Object.keys(metadata?.indices ?? {}).filter((name) => !isHidden(name))
}

interface BlockedIndices {
  readonly blocks?: {
    readonly indices?: Record<string, Record<string, { readonly levels: readonly string[] }>>
  }
  readonly metadata?: { readonly indices?: Record<string, unknown> }
}

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

async function ask<T>(
  client: Client,
  index: string,
  signal: AbortSignal,
  request: { readonly path: string; readonly querystring: Record<string, string | boolean> },
): Promise<T> {
  try {
    return await client.transport.request<T>({ method: 'GET', ...request }, { signal })
  } catch (error) {
    throw translateElasticsearchError(error, `reading the shards of ${index}`)
  }
}
