import type { ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { step } from '../capture/capture.ts'
import type { Capture } from '../capture/capture-state.ts'
import type { TrackedShard } from '../sharing/tracked-shard.ts'
import { step as sweep } from '../sweep/sweep.ts'
import type { Event as SweepEvent } from '../sweep/sweep-state.ts'
import type { Rules } from './poller/rules.kit.ts'

/** A rule of the protocol as it is when it is broken, with a seed of a world in which something goes wrong then. */
interface BrokenRule {
  readonly rule: string
  readonly broken: Partial<Rules>
  readonly seed: number
  /** In less than one of 1,500 worlds. */
  readonly isRare?: true
}

export const BROKEN_RULES: readonly BrokenRule[] = [
  {
    rule: 'nothing above the checkpoint is read',
    broken: { see: (seen) => ({ ...seen, globalCheckpoint: seen.maxSeqNo }) },
    seed: 0,
  },
  {
    rule: 'a new primary rewinds the shard to its open windows',
    broken: {
      step: (state, event, limits) =>
        step(event.kind === 'observed' ? withWindows(state, []) : state, event, limits),
    },
    seed: 0,
  },
  {
    rule: 'a window stays open until the checkpoint has passed all that the primary had numbered',
    broken: { see: (seen) => ({ ...seen, maxSeqNo: seen.globalCheckpoint }) },
    seed: 34,
  },
  {
    rule: 'the highest number is that of the primary, not the highest that a search shows: deletes cannot be seen',
    broken: { see: (seen, highestVisible) => ({ ...seen, maxSeqNo: highestVisible() }) },
    seed: 479,
  },
  {
    rule: 'the primary term is part of the identity',
    broken: { see: (seen) => ({ ...seen, identity: { ...seen.identity, primaryTerm: 0 } }) },
    seed: 7,
  },
  {
    rule: 'another history begins a new epoch',
    broken: { see: (seen) => ({ ...seen, identity: { ...seen.identity, historyUuid: 'h' } }) },
    seed: 3,
  },
  {
    rule: 'an identity is saved with its rewind, in one write',
    broken: {
      step(state, event, limits) {
        const [next, effects] = step(state, event, limits)
        const isRewound = event.kind === 'observed' && next.cursor.seqNo < state.cursor.seqNo
        if (!isRewound || next.cursor.epoch !== state.cursor.epoch) return [next, effects]
        const cursor = { ...next.cursor, seqNo: state.cursor.seqNo }
        return [next, effects.map((effect) => (effect.kind === 'save' ? { kind: 'save', cursor } : effect))]
      },
    },
    seed: 0,
  },
  {
    rule: 'statistics are read before the state, so that none are taken for those of a later term',
    broken: { readsStatisticsFirst: false },
    seed: 73,
  },
  {
    rule: 'only a look that began after a scan closes its window',
    broken: { looksAnewAfterAScan: false },
    seed: 776,
    isRare: true,
  },
  { rule: 'a refresh comes before the search', broken: { refreshes: false }, seed: 0 },
  {
    rule: 'a search that found no shard is not an empty page',
    broken: { tellsNowhereFromNothing: false },
    seed: 3,
  },
  {
    rule: 'a page begins with the number that the last one ended with',
    broken: { ask: (page) => ({ ...page, from: { ...page.from, inclusive: false } }) },
    seed: 817,
  },
  {
    rule: 'a cursor passes only what Kafka has acknowledged',
    broken: { waitsForAcknowledgement: false },
    seed: 0,
  },
  {
    rule: 'an acknowledgement says nothing of older pages',
    broken: {
      step(state, event, limits) {
        if (event.kind !== 'acked' || state.phase.kind !== 'scanning') return step(state, event, limits)
        const unacked = state.phase.unacked.filter((through) => through >= event.throughSeqNo)
        return step({ ...state, phase: { ...state.phase, unacked } }, event, limits)
      },
    },
    seed: 3,
  },
  {
    rule: 'each epoch belongs to one shard: its remainder is that of the partition',
    broken: { epoch: (epoch) => epoch - (epoch % 8) },
    seed: 29,
  },
  {
    rule: 'what other pollers write of a shard is heeded',
    broken: { heedsOthers: false },
    seed: 167,
  },
  {
    rule: 'who takes a partition over reads all that is stored, not only the last cursor of each shard',
    broken: { takeOver: (records) => [...new Map(records.map((record) => [record.key, record])).values()] },
    seed: 4279,
    isRare: true,
  },
  {
    rule: 'a shard that was captured under another scope is not swept',
    broken: {
      sweep: (state, event, limits) =>
        sweep(state, event, {
          ...limits,
          scope: event.kind === 'looked' ? (event.shards[0]?.cursor.scope ?? '') : '',
        }),
    },
    seed: 5728,
    isRare: true,
  },
  {
    rule: 'a sweep waits until the checkpoint has passed what the primary had numbered after its last page',
    broken: {
      sweep: whileSettling(({ view, ...shard }) => ({
        ...shard,
        view: view && { ...view, globalCheckpoint: view.maxSeqNo },
      })),
    },
    seed: 463,
  },
  {
    rule: 'a sweep begins again when the primary has changed',
    broken: {
      sweep(state, event, limits) {
        if (state.phase.kind !== 'settling' || event.kind !== 'looked') return sweep(state, event, limits)
        const targets = new Map(state.phase.round.targets.map((target) => [target.key, target.identity]))
        const shards = event.shards.map((shard) => withIdentity(shard, targets.get(shard.key)))
        return sweep(state, { ...event, shards }, limits)
      },
    },
    seed: 286,
  },
  {
    rule: 'a sweep is final only when the snapshot held everything emitted before',
    broken: {
      sweep: (state, event, limits) =>
        sweep(state, event.kind === 'stored' ? { ...event, isReached: true } : event, limits),
    },
    seed: 4,
  },
  {
    rule: 'a sweep is not final for a row that has the revision of its tombstone',
    broken: {
      sweep: (state, event, limits) =>
        sweep(state, event.kind === 'joined' ? { ...event, tied: new Set() } : event, limits),
    },
    seed: 893,
    isRare: true,
  },
  {
    rule: 'a tombstone has the checkpoint at the start of its sweep, not that at the end',
    broken: {
      sweep(state, event, limits) {
        const [next, effect] = sweep(state, event, limits)
        if (next.phase.kind !== 'marking' || event.kind !== 'looked') return [next, effect]
        const views = new Map(event.shards.map(({ key, view }) => [key, view]))
        const targets = next.phase.round.targets.map((target) => {
          const { globalCheckpoint, maxSeqNo } = views.get(target.key)!
          return { ...target, checkpoint: globalCheckpoint, maxSeqNo }
        })
        return [{ ...next, phase: { ...next.phase, round: { ...next.phase.round, targets } } }, effect]
      },
    },
    seed: 122,
  },
]

function withWindows(state: Capture, windows: Capture['cursor']['windows']): Capture {
  return { ...state, cursor: { ...state.cursor, windows } }
}

function withIdentity(shard: TrackedShard, identity: ShardView['identity'] | undefined): TrackedShard {
  if (identity === undefined) return shard
  const { key, partition, cursor, view, isGone, hasCompletedFirstScan } = shard
  return {
    ...{ key, partition, isGone, hasCompletedFirstScan },
    cursor: { ...cursor, identity },
    view: view && { ...view, identity },
  }
}

/** A sweep that sees its shards otherwise than they are, after its scans. */
function whileSettling(see: (shard: TrackedShard) => TrackedShard): typeof sweep {
  return (state, event: SweepEvent, limits) => {
    if (state.phase.kind !== 'settling' || event.kind !== 'looked') return sweep(state, event, limits)
    return sweep(state, { ...event, shards: event.shards.map(see) }, limits)
  }
}
