import type { Event as CaptureEvent } from '../capture/capture-state.ts'
import type { Captured } from './dead-epochs.ts'
import type { DueRules, GoneShard, Target } from './target.ts'

export interface Sweep {
  readonly notBeforeMs: number
  /** Sweeps in a row that failed, or were final for no shard. */
  readonly setbacks: number
  readonly phase: Phase
}

export type Phase =
  | { readonly kind: 'resting' }
  /** Something is due; what can be buried depends on the cursors of other pollers. */
  | { readonly kind: 'comparing' }
  | {
      readonly kind: 'scanning'
      readonly round: Round
      readonly queue: readonly Target[]
      readonly heldBytes: number
    }
  | {
      readonly kind: 'settling'
      readonly round: Round
      /** By key of the target: the highest sequence number that the primary had after the last page. */
      readonly maxSeqNos: ReadonlyMap<string, number>
      readonly giveUpAtMs: number
    }
  | { readonly kind: 'marking'; readonly round: Round }
  | { readonly kind: 'storing'; readonly round: Round; readonly giveUpAtMs: number }
  | { readonly kind: 'joining'; readonly round: Round; readonly isComplete: boolean }
  | { readonly kind: 'finishing'; readonly round: Round; readonly isFruitless: boolean }

export interface Round {
  readonly startedAtMs: number
  /** Shards whose living keys are read. */
  readonly targets: readonly Target[]
  readonly gone: readonly GoneShard[]
  /** Targets in which nothing was written from their checkpoint to the last page, by key. */
  readonly idle: ReadonlySet<string>
  /** What this round does not finish. */
  readonly left: readonly LeftShard[]
  /** Whether what replaces the dead epochs has been captured. */
  readonly mayBury: boolean
  /** Time of scans and joins; waiting costs nobody anything. */
  readonly busyMs: number
  readonly busySinceMs: number
}

/** A shard that stays due. */
export interface LeftShard extends Pick<Target, 'index' | 'shard'> {
  readonly why: Why
}

export type Why =
  /** It has another primary, epoch or poller by now. */
  | 'moved'
  /** Its checkpoint, or its capture, has not come far enough in time; for a gone one, that of any shard. */
  | 'unsettled'
  /** The snapshot did not hold everything in time. */
  | 'notStored'
  /** It has a dead row that no tombstone outranks yet. */
  | 'tied'

export type Event =
  /** What is tracked; after `look` by requests that began after it. */
  | ({ readonly kind: 'looked'; readonly nowMs: number } & Captured)
  /** null: the keys need more memory than was left. */
  | { readonly kind: 'scanned'; readonly nowMs: number; readonly tableBytes: number | null }
  | { readonly kind: 'marked'; readonly nowMs: number }
  | { readonly kind: 'stored'; readonly nowMs: number; readonly isReached: boolean }
  /** All tombstones are acknowledged. `tied`: keys of targets with a dead row that none of theirs outranks. */
  | { readonly kind: 'joined'; readonly nowMs: number; readonly tied: ReadonlySet<string> }
  | { readonly kind: 'finished'; readonly nowMs: number }
  /** Anything went wrong; nothing of this sweep is running any more. */
  | { readonly kind: 'failed'; readonly nowMs: number }

export type Effect =
  /** Forget all tables and wait. */
  | { readonly kind: 'rest'; readonly forMs: number }
  /** Refresh the shard's index, then read its living keys. `maxTableBytes` is null for the first: no shard is left out. */
  | { readonly kind: 'scan'; readonly target: Target; readonly maxTableBytes: number | null }
  /** `withCursors`: those of other pollers are read as well. */
  | { readonly kind: 'look'; readonly afterMs: number; readonly withCursors: boolean }
  /** What Kafka has acknowledged by now is what the snapshot must hold. */
  | { readonly kind: 'mark' }
  | { readonly kind: 'checkStored'; readonly afterMs: number }
  | {
      readonly kind: 'join'
      readonly targets: readonly Target[]
      readonly deadEpochs: readonly number[]
      /** Whether the snapshot is the one that was waited for; else the newest. */
      readonly isComplete: boolean
    }
  | {
      readonly kind: 'finish'
      readonly swept: readonly { readonly key: string; readonly event: SweptEvent }[]
      /** Shards of which nothing is left. */
      readonly forget: readonly string[]
      readonly left: readonly LeftShard[]
      /** Done with, but for a dead row that stays until something is written in them. */
      readonly waiting: readonly Pick<Target, 'index' | 'shard'>[]
    }

export type SweptEvent = Extract<CaptureEvent, { kind: 'swept' }>

export interface Limits extends DueRules {
  /** Between two sweeps. */
  readonly pauseMs: number
  readonly maxTableBytes: number
  /** Longest wait for the checkpoint and for capture; and for the snapshot. */
  readonly settleMs: number
  readonly storeMs: number
}

export type Step = readonly [Sweep, Effect]
