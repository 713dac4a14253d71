import { cursorKey } from '@freshet/records/cursor.ts'
import { compareRevisions } from '@freshet/records/revision.ts'
import type { ClusterModel, Place } from './elasticsearch/cluster-model.kit.ts'
import type { ChangeModel } from './kafka/kafka-model.kit.ts'
import type { LateRows } from './late-rows.kit.ts'
import type { GroupModel } from './poller/group-model.kit.ts'

interface End {
  readonly cluster: ClusterModel
  readonly group: GroupModel
  readonly rows: ReadonlyMap<string, ChangeModel>
}

/** Documents that live and are missing in the store, stale, newer than what lives, or buried. */
export function wrongLiving(end: End): string[] {
  return end.cluster.places.flatMap((place) => wrongIn(place, end))
}

/** Keys that are alive in the store although nothing lives under them, and no sweep has the excuse of a late write. */
export function undead({ cluster, group, rows }: End, lateRows: LateRows): string[] {
  const living = new Set(
    cluster.places.flatMap(({ index, shard }) =>
      [...shard.truth.values()]
        .filter(({ kind }) => kind === 'document' || (kind === 'marked' && group.scope === 'all'))
        .map(({ id }) => `${index.name}/${id}`),
    ),
  )
  return [...rows]
    .filter(([key, { isDelete }]) => !isDelete && !living.has(key))
    .filter(([key, { revision }]) => !lateRows.isLeftToVerify(key, revision.epoch))
    .map(([key, { revision }]) => `${key} lives no more and is there at ${JSON.stringify(revision)}`)
}

function wrongIn({ index, number, shard }: Place, { group, rows }: End): string[] {
  const key = cursorKey(index.uuid, number)
  const held = group.pollers.map(({ table }) => table.get(key)).find((found) => found !== undefined)
  if (held === undefined) return [`${key} has no owner`]
  const { cursor } = held
  const wrong: string[] = []
  if (cursor.seqNo !== shard.answer.globalCheckpoint)
    wrong.push(`${key} is at ${cursor.seqNo}, the checkpoint at ${shard.answer.globalCheckpoint}`)
  for (const { id, seqNo, primaryTerm, kind } of shard.truth.values()) {
    if (kind === 'delete' || (kind === 'marked' && group.scope === 'unmarked')) continue
    const row = rows.get(`${index.name}/${id}`)
    const revision = { documentVersion: 0, epoch: cursor.epoch, primaryTerm, seqNo }
    const name = `${index.name}/${id} ${JSON.stringify(revision)}`
    if (row === undefined) wrong.push(`${name} is missing`)
    else if (row.isDelete) wrong.push(`${name} is buried at ${JSON.stringify(row.revision)}`)
    else if (compareRevisions(row.revision, revision) !== 0)
      wrong.push(`${name} is there at ${JSON.stringify(row.revision)}`)
  }
  return wrong
}
