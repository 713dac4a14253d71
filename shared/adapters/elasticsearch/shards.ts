import type { Client } from '@elastic/elasticsearch'
import type { ShardIdentity } from '@freshet/records/cursor.ts'
import { translateElasticsearchError } from './translate.ts'

/** A primary shard as it answers now. */
export interface ShardView {
  readonly index: string
  readonly shard: number
  readonly identity: ShardIdentity
  /** Every operation up to here is on all in-sync copies: the bound of what may be emitted. */
  readonly globalCheckpoint: number
  readonly maxSeqNo: number
}

export interface ShardsView {
  /** Primary shards that can be read now. */
  readonly readable: readonly ShardView[]
  /** `index/shard` of primaries that exist and cannot be read now; never to be taken for "nothing new". */
  readonly unreadable: readonly string[]
}

/**
 * All primary shards behind an index, alias or pattern. The cluster state is read first: it alone knows the primary
 * term, and where the two views disagree (for about a second around a failover) the shard counts as unreadable.
 */
export async function readShards(client: Client, index: string, signal: AbortSignal): Promise<ShardsView> {
  try {
    const state = await client.transport.request<ClusterState>(STATE(index), { signal })
    const stats = await client.transport.request<Stats>(STATS(index), { signal })
    return joinViews(state, stats)
  } catch (error) {
    throw translateElasticsearchError(error, `reading the shards of ${index}`)
  }
}

/** Pure join of both answers. */
export function joinViews(state: ClusterState, stats: Stats): ShardsView {
  const readable: ShardView[] = []
  const unreadable: string[] = []
  for (const [index, table] of Object.entries(state.routing_table?.indices ?? {}))
    for (const [shard, copies] of Object.entries(table.shards)) {
      const place = copies.find((copy) => copy.primary)
      const copy = stats.indices?.[index]?.shards?.[shard]?.find((entry) => entry.routing.primary)
      const primaryTerm = state.metadata?.indices?.[index]?.primary_terms?.[shard]
      const indexUuid = stats.indices?.[index]?.uuid
      const historyUuid = copy?.commit?.user_data?.history_uuid
      if (
        !place?.node ||
        !place.allocation_id ||
        primaryTerm === undefined ||
        !indexUuid ||
        !copy?.seq_no ||
        !historyUuid ||
        copy.routing.node !== place.node ||
        !READABLE_STATES.has(copy.routing.state)
      ) {
        unreadable.push(`${index}/${shard}`)
        continue
      }
      readable.push({
        index,
        shard: Number(shard),
        identity: {
          indexUuid,
          historyUuid,
          node: place.node,
          allocationId: place.allocation_id.id,
          primaryTerm,
        },
        globalCheckpoint: copy.seq_no.global_checkpoint,
        maxSeqNo: copy.seq_no.max_seq_no,
      })
    }
  return { readable, unreadable }
}

const READABLE_STATES = new Set(['STARTED', 'RELOCATING'])

const STATE = (index: string) => ({
  method: 'GET',
  path: `/_cluster/state/metadata,routing_table/${encodeURIComponent(index)}`,
  querystring: {
    filter_path:
      'metadata.indices.*.primary_terms,routing_table.indices.*.shards.*.primary,routing_table.indices.*.shards.*.node,routing_table.indices.*.shards.*.allocation_id.id',
  },
})

const STATS = (index: string) => ({
  method: 'GET',
  path: `/${encodeURIComponent(index)}/_stats/get`,
  querystring: {
    level: 'shards',
    filter_path:
      'indices.*.uuid,indices.*.shards.*.routing,indices.*.shards.*.seq_no,indices.*.shards.*.commit.user_data.history_uuid',
  },
})

interface ClusterState {
  readonly metadata?: {
    readonly indices?: Record<string, { readonly primary_terms?: Record<string, number> }>
  }
  readonly routing_table?: {
    readonly indices?: Record<
      string,
      {
        readonly shards: Record<
          string,
          readonly { primary: boolean; node?: string | null; allocation_id?: { id: string } }[]
        >
      }
    >
  }
}

interface Stats {
  readonly indices?: Record<
    string,
    {
      readonly uuid?: string
      readonly shards?: Record<
        string,
        readonly {
          routing: { primary: boolean; node: string | null; state: string }
          seq_no?: { max_seq_no: number; global_checkpoint: number }
          commit?: { user_data?: { history_uuid?: string } }
        }[]
      >
    }
  >
}
