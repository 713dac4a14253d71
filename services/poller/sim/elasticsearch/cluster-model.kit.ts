import type { joinViews } from '@freshet/adapters/elasticsearch/shards.ts'
import type { Chance } from '../chance.kit.ts'
import type { Operation } from './copy.kit.ts'
import { ShardModel } from './shard-model.kit.ts'

type ClusterState = Parameters<typeof joinViews>[0]
type Stats = Parameters<typeof joinViews>[1]

export interface IndexModel {
  readonly name: string
  readonly uuid: string
  readonly shards: readonly ShardModel[]
  isClosed: boolean
}

/** A shard of an index, as the acts of a simulation pick it. */
export interface Place {
  readonly index: IndexModel
  readonly number: number
  readonly shard: ShardModel
}

const DOCUMENTS_PER_SHARD = 5

/** Indices by name, and the requests that a poller sends, answered in the shapes of Elasticsearch. */
export class ClusterModel {
  readonly #chance: Chance
  readonly #indices = new Map<string, IndexModel>()
  #ids = 0

  constructor(chance: Chance) {
    this.#chance = chance
  }

  get indices(): readonly IndexModel[] {
    return [...this.#indices.values()]
  }

  /** Shards of all open indices. */
  get places(): Place[] {
    return this.indices
      .filter(({ isClosed }) => !isClosed)
      .flatMap((index) => index.shards.map((shard, number) => ({ index, number, shard })))
  }

  index(name: string): IndexModel | undefined {
    return this.#indices.get(name)
  }

  shard(indexUuid: string, number: number): ShardModel | undefined {
    return this.indices.find(({ uuid }) => uuid === indexUuid)?.shards[number]
  }

  create(name: string, shards: number): void {
    this.#add(
      name,
      Array.from({ length: shards }, (_, number) => new ShardModel(this.#tools(), documentIds(number))),
    )
  }

  remove(name: string): void {
    this.#indices.delete(name)
  }

  /** All shards of one index become the one shard of another; documents keep their numbers, which may now repeat. */
  shrink(name: string, to: string): void {
    const { shards } = this.#indices.get(name)!
    const base = shards.flatMap((shard) => [...shard.truth.values()])
    const term = 1 + Math.max(...shards.map(({ answer }) => answer.primaryTerm))
    const ids = shards.flatMap(({ documentIds }) => documentIds)
    this.#add(to, [new ShardModel(this.#tools(), ids, { term, base })])
    this.remove(name)
  }

  /** What `_cluster/state` answers now. */
  state(): ClusterState {
    const metadata: NonNullable<NonNullable<ClusterState['metadata']>['indices']> = {}
    const routing: NonNullable<NonNullable<ClusterState['routing_table']>['indices']> = {}
    for (const { name, uuid, isClosed, shards } of this.indices) {
      const answers = shards.map(({ answer }) => answer)
      metadata[name] = {
        state: isClosed ? 'close' : 'open',
        settings: { index: { uuid } },
        primary_terms: byNumber(answers.map(({ primaryTerm }) => primaryTerm)),
      }
      const places = answers.map(({ node, allocationId }) => [
        { primary: true, node, allocation_id: { id: allocationId } },
      ])
      routing[name] = { shards: byNumber(places) }
    }
    return { cluster_uuid: 'c', metadata: { indices: metadata }, routing_table: { indices: routing } }
  }

  /** What `_stats?level=shards` answers now: closed indices are left out. */
  stats(): Stats {
    const indices: NonNullable<Stats['indices']> = {}
    for (const { name, uuid, isClosed, shards } of this.indices) {
      if (isClosed) continue
      const copies = shards.map(({ answer }) => [
        {
          routing: { primary: true, node: answer.node, state: 'STARTED' },
          seq_no: { max_seq_no: answer.maxSeqNo, global_checkpoint: answer.globalCheckpoint },
          indexing: { delete_total: answer.deleteTotal },
          commit: { user_data: { history_uuid: answer.historyUuid } },
        },
      ])
      indices[name] = { uuid, shards: byNumber(copies) }
    }
    return { indices }
  }

  /** `_refresh` of an index. @returns false when it is not there to be refreshed */
  refresh(name: string): boolean {
    const index = this.#indices.get(name)
    if (index === undefined || index.isClosed) return false
    for (const shard of index.shards) shard.refreshAll()
    return true
  }

  /** Documents that a search on one node's copy of a shard sees, by number; undefined when there is none to ask. */
  search(name: string, number: number, node: string): Operation[] | undefined {
    const index = this.#indices.get(name)
    if (index === undefined || index.isClosed) return undefined
    return index.shards[number]?.searchOn(node, this.#chance.happens(0.5))
  }

  #add(name: string, shards: readonly ShardModel[]): void {
    this.#indices.set(name, { name, uuid: this.#newId('u'), shards, isClosed: false })
  }

  #tools() {
    return { chance: this.#chance, newId: (prefix: string) => this.#newId(prefix) }
  }

  #newId(prefix: string): string {
    return `${prefix}${++this.#ids}`
  }
}

function documentIds(shard: number): string[] {
  return Array.from({ length: DOCUMENTS_PER_SHARD }, (_, i) => `${String.fromCharCode(97 + shard)}${i}`)
}

function byNumber<T>(shards: readonly T[]): Record<string, T> {
  return Object.fromEntries(shards.entries())
}
