import type { Client } from '@elastic/elasticsearch'
import type { ShardIdentity } from '@freshet/records/cursor.ts'
import { type ClusterState, readState, readStats, type ShardCopy, type Stats } from './shards-api.ts'

/** A primary shard as it answers now. */
export interface ShardView {
  readonly index: string
  readonly shard: number
  readonly identity: ShardIdentity
  /** Every operation up to here is on all in-sync copies: the bound of what may be emitted. */
  readonly globalCheckpoint: number
  readonly maxSeqNo: number
  /** Deletes since this copy was started; starts at 0 again with every restart. */
  readonly deleteTotal: number
}

export interface ShardsView {
  readonly clusterUuid: string
  /** Primary shards that can be read now. */
  readonly readable: readonly ShardView[]
  /** `index/shard` of primaries that exist and cannot be read now; never to be taken for "nothing new". */
  readonly unreadable: readonly string[]
  /** Names of closed indices: they wait, they are not gone. */
  readonly closed: readonly string[]
  /** Of every index behind the name, open or closed: what is not in here does not exist there any more. */
  readonly indexUuids: ReadonlySet<string>
}

/**
 * All primary shards behind an index, alias, data stream or pattern. The cluster state alone knows the primary term and
 * what exists. Where the statistics disagree (for about a second around a failover), or leave a shard out (a privilege
 * is lost, its node does not answer), the shard counts as unreadable, never as gone.
 *
 * The statistics are read first. Read last, they may be those of a copy that has restarted in between, under the term
 * that it had before: its lower numbers would close a window that the restart is about to need.
 * @throws ELASTICSEARCH_UNREACHABLE also while the cluster has not recovered its state: it then looks empty
 */
export async function readShards(client: Client, index: string, signal: AbortSignal): Promise<ShardsView> {
  const stats = await readStats(client, index, signal)
  const state = await readState(client, index, signal)
  return joinViews(state, stats)
}

/** Pure join of both answers. */
export function joinViews(state: ClusterState, stats: Stats): ShardsView {
  const readable: ShardView[] = []
  const unreadable: string[] = []
  const closed: string[] = []
  const indexUuids = new Set<string>()
  for (const [index, metadata] of Object.entries(state.metadata?.indices ?? {})) {
    indexUuids.add(metadata.settings.index.uuid)
    if (metadata.state === 'close') {
      closed.push(index)
      continue
    }
    for (const shard of Object.keys(metadata.primary_terms)) {
      const view = viewOf(state, stats, index, shard)
      if (view === undefined) unreadable.push(`${index}/${shard}`)
      else readable.push(view)
    }
  }
  return { clusterUuid: state.cluster_uuid, readable, unreadable, closed, indexUuids }
}

/** undefined unless both answers speak of the same started primary. */
function viewOf(state: ClusterState, stats: Stats, index: string, shard: string): ShardView | undefined {
  const metadata = state.metadata?.indices?.[index]
  const place = state.routing_table?.indices?.[index]?.shards[shard]?.find((copy) => copy.primary)
  const indexStats = stats.indices?.[index]
  const copy = indexStats?.shards?.[shard]?.find((entry) => entry.routing.primary)
  const indexUuid = metadata?.settings.index.uuid
  const primaryTerm = metadata?.primary_terms[shard]
  const historyUuid = copy?.commit?.user_data?.history_uuid
  if (copy?.seq_no === undefined || !isStartedAt(copy, place?.node)) return undefined
  if (!place?.node || !place.allocation_id || primaryTerm === undefined || !historyUuid) return undefined
  if (indexUuid === undefined || indexStats?.uuid !== indexUuid) return undefined
  return {
    index,
    shard: Number(shard),
    identity: { indexUuid, historyUuid, node: place.node, allocationId: place.allocation_id.id, primaryTerm },
    globalCheckpoint: copy.seq_no.global_checkpoint,
    maxSeqNo: copy.seq_no.max_seq_no,
    deleteTotal: copy.indexing?.delete_total ?? 0,
  }
}

function isStartedAt({ routing }: ShardCopy, node: string | null | undefined): boolean {
  return routing.node === node && (routing.state === 'STARTED' || routing.state === 'RELOCATING')
}
