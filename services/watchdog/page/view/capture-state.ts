import type { Facts, ShardFacts } from '@freshet/records/facts.ts'
import type { CaptureState, ShardState } from './page-state.ts'
import type { Seen } from './seen.ts'

/** Beyond it those that are furthest are only counted: a page is not a book. */
const MAX_SHARDS = 40

export function captureState(facts: Facts | null, seen: Seen, mode: CaptureState['mode']): CaptureState {
  const shards = (mode === 'seqNo' ? facts?.capture.value?.shards : undefined) ?? null
  const states = (shards ?? []).map(shardState).toSorted(neediest)
  const sweptAtSeconds = seen.highest('freshet.sweep.swept_at') ?? 0
  return {
    mode,
    shards: { rows: states.slice(0, MAX_SHARDS), more: Math.max(0, states.length - MAX_SHARDS) },
    behindOperations: shards === null ? null : shards.reduce((sum, { behind }) => sum + behind, 0),
    sweep: {
      sweptAtMs: sweptAtSeconds === 0 ? null : sweptAtSeconds * 1_000,
      dueShards: seen.total('freshet.sweep.due'),
    },
  }
}

function shardState(shard: ShardFacts): ShardState {
  const { index, checkpoint, cursorSeqNo, behind, behindSeconds, standsSeconds } = shard
  return {
    index,
    shard: shard.shard,
    cursorSeqNo,
    checkpointSeqNo: checkpoint,
    share: checkpoint < 0 ? 1 : 1 - Math.min(1, behind / (checkpoint + 1)),
    behindOperations: behind,
    behindSeconds,
    standsSeconds,
    level: cursorSeqNo === null && checkpoint >= 0 ? 'unknown' : 'well',
  }
}

/** Those that are late first; else by name. */
function neediest(a: ShardState, b: ShardState): number {
  return (
    Math.round(b.behindSeconds / 10) - Math.round(a.behindSeconds / 10) ||
    a.index.localeCompare(b.index) ||
    a.shard - b.shard
  )
}
