/** What one run has to reach: of every shard, the checkpoint and the deletes that it had at the start. Pure. */
import type { ShardsView, ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { buriableEpochs, type KeyRules } from '@freshet/poller/sweep/dead-epochs.ts'
import { type Cursor, cursorKey, isSameHistory, isSamePrimary } from '@freshet/records/cursor.ts'

/** By `indexUuid/shard`, as `.cursors` has them. */
type Cursors = ReadonlyMap<string, Cursor>

interface Target {
  /** As in `.cursors`. */
  readonly key: string
  /** `index/shard`, for people. */
  readonly name: string
  readonly identity: ShardView['identity']
  readonly checkpoint: number
  /** What may have removed keys by then, as a sweep counts it. */
  readonly removals: number
}

export interface Rules extends KeyRules {
  /** Hash of what is captured. */
  readonly scope: string
  /** Keys are a field of the document, so every operation may take a key away. */
  readonly isKeyInDocument: boolean
}

/** What is to be reached, and `index/shard` of those that could not be read yet: as soon as they can, they are targets. */
export interface Goal {
  readonly targets: ReadonlyMap<string, Target>
  readonly unread: ReadonlySet<string>
}

/** What is left to be done. */
export interface Left {
  /** Sequence numbers that are not captured; a shard whose capture begins anew counts from its first. */
  readonly operations: number
  /** Names of shards that are not captured as far as they were at the start. */
  readonly uncaptured: readonly string[]
  /** Names of captured shards in which deletes are to be looked for. */
  readonly unswept: readonly string[]
  /** Names of shards that could not be read yet: nobody knows what they hold. */
  readonly unread: readonly string[]
}

type TargetRules = Pick<Rules, 'isKeyInDocument'>

/** @param isCapturable of an index, by its name: what capture refuses is not waited for */
export function goalOf(view: ShardsView, rules: TargetRules, isCapturable: (index: string) => boolean): Goal {
  const readable = view.readable.filter(({ index }) => isCapturable(index))
  const unread = view.unreadable.filter((name) => isCapturable(indexOf(name)))
  return { targets: byKey(readable.map((shard) => targetOf(shard, rules))), unread: new Set(unread) }
}

/**
 * The goal as it stands by a later look. A shard that is gone is no target any more. One under another primary keeps its
 * checkpoint, unless its numbers have begun anew; its deletes are counted anew, and the sweep that the poller owes it then
 * finds the earlier ones too.
 */
export function asSeen({ targets, unread }: Goal, view: ShardsView, rules: TargetRules): Goal {
  const seen = byKey(view.readable.map((shard) => targetOf(shard, rules)))
  const still = [...targets.values()]
    .filter(({ identity }) => view.indexUuids.has(identity.indexUuid))
    .map((target) => under(seen.get(target.key), target))
  const come = [...seen.values()].filter(({ name }) => unread.has(name))
  const there = new Set(view.unreadable)
  return {
    targets: byKey([...still, ...come]),
    unread: new Set([...unread].filter((name) => there.has(name))),
  }
}

export function leftOf({ targets, unread }: Goal, cursors: Cursors, rules: Rules): Left {
  const all = [...targets.values()].map((target) => {
    const cursor = cursors.get(target.key)
    return { target, cursor, operations: operationsLeft(target, cursor, rules) }
  })
  const captured = all.filter(({ operations }) => operations === 0)
  return {
    operations: all.reduce((sum, { operations }) => sum + operations, 0),
    uncaptured: all.filter(({ operations }) => operations > 0).map(({ target }) => target.name),
    unswept: captured
      .filter(({ target, cursor }) => !isSwept(target, cursor, cursors, rules))
      .map(({ target }) => target.name),
    unread: [...unread],
  }
}

function targetOf(shard: ShardView, { isKeyInDocument }: TargetRules): Target {
  const { identity, globalCheckpoint, maxSeqNo, deleteTotal } = shard
  return {
    key: cursorKey(identity.indexUuid, shard.shard),
    name: `${shard.index}/${shard.shard}`,
    identity,
    checkpoint: globalCheckpoint,
    removals: isKeyInDocument ? maxSeqNo + 1 : deleteTotal,
  }
}

function under(seen: Target | undefined, target: Target): Target {
  if (seen === undefined || isSamePrimary(seen.identity, target.identity)) return target
  const { identity } = seen
  const checkpoint = isSameHistory(identity, target.identity) ? target.checkpoint : seen.checkpoint
  return { ...target, identity, checkpoint, removals: 0 }
}

function byKey(targets: readonly Target[]): ReadonlyMap<string, Target> {
  return new Map(targets.map((target) => [target.key, target]))
}

function indexOf(name: string): string {
  return name.slice(0, name.lastIndexOf('/'))
}

/** A cursor under another primary says nothing yet: what a failover has rolled back is read again. */
function operationsLeft(
  { identity, checkpoint }: Target,
  cursor: Cursor | undefined,
  { scope }: Rules,
): number {
  if (cursor === undefined || !isSameHistory(cursor.identity, identity) || cursor.scope !== scope)
    return checkpoint + 1
  const left = Math.max(0, checkpoint - cursor.seqNo)
  return isSamePrimary(cursor.identity, identity) ? left : Math.max(1, left)
}

/** An empty shard that nobody has met has lost nothing. */
function isSwept(
  { key, removals }: Target,
  cursor: Cursor | undefined,
  cursors: Cursors,
  rules: Rules,
): boolean {
  if (cursor === undefined) return true
  if (cursor.sweep === null || cursor.sweep.deleteTotal < removals) return false
  return buriable(key, cursor, cursors, rules).length === 0
}

/** By the sweep's own rule. */
function buriable(key: string, cursor: Cursor, cursors: Cursors, rules: Rules): readonly number[] {
  const shard = { key, cursor, partition: 0, view: undefined, isGone: false, hasCompletedFirstScan: true }
  return buriableEpochs(shard, { shards: [shard], cursors }, rules)
}
