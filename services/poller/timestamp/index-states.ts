import type { ShardCopy, Stats } from '@freshet/adapters/elasticsearch/shards-api.ts'

/**
 * What tells two states of an index apart, by its name: the numbers of every copy of its shards. An operation that is
 * under way has raised the highest number and not yet the checkpoints, so its end is another state.
 */
export function indexStates({ indices = {} }: Stats): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(indices).map(([name, { uuid, shards = {} }]) => [
      name,
      JSON.stringify([
        uuid,
        Object.entries(shards).map(([shard, copies]) => [shard, copies.map(stateOf).sort()]),
      ]),
    ]),
  )
}

function stateOf({ routing, seq_no }: ShardCopy): string {
  return JSON.stringify([routing.node, routing.primary, routing.state, seq_no])
}
