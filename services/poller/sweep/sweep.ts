/**
 * Every decision about finding deletes, without any I/O: (state, event) → state and the one effect to perform next.
 *
 *   rest ⇄ looked ─► scan … scan ─► look ⇄ looked ─► mark ─► checkStored ⇄ stored ─► join ─► finish ─► rest
 *                    living keys    settled?               snapshot complete?        tombstones
 *
 * Elasticsearch shows no delete to a search. So the living keys of a shard are read, and what the snapshot holds beyond
 * them is dead. Why no living document is buried:
 * - A tombstone has the revision (the row's documentVersion, the epoch, the row's primary term, the checkpoint at the
 *   start), and only rows below that checkpoint get one. A document written since has a higher sequence number.
 * - A key that was not found may have been removed by an operation above the checkpoint, which a failover can roll back.
 *   So nothing is emitted before the checkpoint has passed the primary's highest sequence number, read after the last
 *   page, under an unchanged identity.
 * - A dead epoch is dead on disk: its shard goes on under a higher one, which outranks whatever is buried. What another
 *   index may hold under a lower one stays.
 *
 * Why no dead key stays: a sweep counts as final only when its shard was captured up to the checkpoint at the start, and
 * the snapshot held everything emitted by then. A document that was deleted before the start can be emitted no more by
 * then, so its row was there to be found. Until then the sweep stays due.
 */
import { FreshetError } from '@freshet/errors/errors.ts'
import type { Event as CaptureEvent } from '../capture/capture.ts'
import type { TrackedShard } from '../sharing/tracked-shards.ts'
import {
  areCaptured,
  type DueRules,
  dueTargets,
  type GoneShard,
  goneShards,
  isSettled,
  isStillSame,
  type Target,
} from './target.ts'

export interface Sweep {
  readonly notBeforeMs: number
  /** Sweeps in a row that failed or were not final. */
  readonly setbacks: number
  readonly phase: Phase
}

type Phase =
  | { readonly kind: 'resting' }
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
  | { readonly kind: 'finishing'; readonly round: Round; readonly isFinal: boolean }

interface Round {
  readonly startedAtMs: number
  /** Shards whose living keys are read. */
  readonly targets: readonly Target[]
  readonly gone: readonly GoneShard[]
  /** Whether what replaces the dead epochs has been captured. */
  readonly mayBury: boolean
  /** Time of scans and joins; waiting costs nobody anything. */
  readonly busyMs: number
  readonly busySinceMs: number
}

export type Event =
  /** The shards as they are tracked; after `look` by requests that began after it. */
  | { readonly kind: 'looked'; readonly nowMs: number; readonly shards: readonly TrackedShard[] }
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
  | { readonly kind: 'look'; readonly afterMs: number }
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

/** Between two looks of the same kind. */
const REST_MS = 1_000
const SETTLE_LOOK_MS = 500
const STORED_LOOK_MS = 1_000
/** A sweep is followed by at least so many times the time that it worked: a share of a fifth. */
const REST_FACTOR = 4
const MAX_SETBACK_FACTOR = 16

type Step = readonly [Sweep, Effect]

export function newSweep(): Step {
  return [
    { notBeforeMs: 0, setbacks: 0, phase: { kind: 'resting' } },
    { kind: 'rest', forMs: 0 },
  ]
}

export function step(state: Sweep, event: Event, limits: Limits): Step {
  if (event.kind === 'failed') return setBack(state, event.nowMs, limits)
  const { phase } = state
  if (phase.kind === 'resting' && event.kind === 'looked') return begin(state, event, limits)
  if (phase.kind === 'scanning' && event.kind === 'scanned') return scanned(state, phase, event, limits)
  if (phase.kind === 'settling' && event.kind === 'looked') return settle(state, phase, event, limits)
  if (phase.kind === 'marking' && event.kind === 'marked')
    return awaitStored(state, phase.round, event, limits)
  if (phase.kind === 'storing' && event.kind === 'stored') return stored(state, phase, event, limits)
  if (phase.kind === 'joining' && event.kind === 'joined') return joined(state, phase, event)
  if (phase.kind === 'finishing' && event.kind === 'finished') return finished(state, phase, event, limits)
  throw new FreshetError('BUG', `a sweep that is ${phase.kind} does not expect ${event.kind}`)
}

function begin(state: Sweep, { nowMs, shards }: Extract<Event, { kind: 'looked' }>, limits: Limits): Step {
  if (nowMs < state.notBeforeMs) return rest(state, Math.min(REST_MS, state.notBeforeMs - nowMs))
  const targets = dueTargets(shards, nowMs, limits)
  const gone = goneShards(shards, limits)
  if (targets.length === 0 && (gone.length === 0 || !areCaptured(shards))) return rest(state, REST_MS)
  const round: Round = {
    startedAtMs: nowMs,
    targets: [],
    gone,
    mayBury: false,
    busyMs: 0,
    busySinceMs: nowMs,
  }
  return scanNext(state, round, targets, { heldBytes: 0, nowMs }, limits)
}

function scanNext(
  state: Sweep,
  round: Round,
  queue: readonly Target[],
  { heldBytes, nowMs }: { heldBytes: number; nowMs: number },
  limits: Limits,
): Step {
  const [target] = queue
  const leftBytes = limits.maxTableBytes - heldBytes
  if (target === undefined || leftBytes <= 0) {
    const busyMs = round.busyMs + nowMs - round.busySinceMs
    const giveUpAtMs = nowMs + limits.settleMs
    const phase: Phase = { kind: 'settling', round: { ...round, busyMs }, maxSeqNos: new Map(), giveUpAtMs }
    return [
      { ...state, phase },
      { kind: 'look', afterMs: 0 },
    ]
  }
  const maxTableBytes = round.targets.length === 0 ? null : leftBytes
  const phase: Phase = { kind: 'scanning', round, queue, heldBytes }
  return [
    { ...state, phase },
    { kind: 'scan', target, maxTableBytes },
  ]
}

function scanned(
  state: Sweep,
  { round, queue, heldBytes }: Extract<Phase, { kind: 'scanning' }>,
  { nowMs, tableBytes }: Extract<Event, { kind: 'scanned' }>,
  limits: Limits,
): Step {
  const [target, ...others] = queue as [Target, ...Target[]]
  if (tableBytes === null) return scanNext(state, round, [], { heldBytes, nowMs }, limits)
  const next = { ...round, targets: [...round.targets, target] }
  return scanNext(state, next, others, { heldBytes: heldBytes + tableBytes, nowMs }, limits)
}

/** Waits until no operation that hid a key can be rolled back, and all that was there at the start is captured. */
function settle(
  state: Sweep,
  phase: Extract<Phase, { kind: 'settling' }>,
  { nowMs, shards }: Extract<Event, { kind: 'looked' }>,
  limits: Limits,
): Step {
  const byKey = new Map(shards.map((shard) => [shard.key, shard]))
  const maxSeqNos = new Map(phase.maxSeqNos)
  const kept: Target[] = []
  let isReady = true
  for (const target of phase.round.targets) {
    const shard = byKey.get(target.key)
    if (shard === undefined || !isStillSame(shard, target)) continue
    kept.push(target)
    if (shard.view !== undefined && !maxSeqNos.has(target.key)) maxSeqNos.set(target.key, shard.view.maxSeqNo)
    if (!isSettled(shard, target, maxSeqNos.get(target.key))) isReady = false
  }
  const round = { ...phase.round, targets: kept, mayBury: areCaptured(shards) }
  if (!isReady && nowMs < phase.giveUpAtMs)
    return [
      { ...state, phase: { ...phase, round, maxSeqNos } },
      { kind: 'look', afterMs: SETTLE_LOOK_MS },
    ]
  const targets = kept.filter((target) =>
    isSettled(byKey.get(target.key)!, target, maxSeqNos.get(target.key)),
  )
  if (targets.length === 0 && round.gone.length === 0) return setBack(state, nowMs, limits)
  return [{ ...state, phase: { kind: 'marking', round: { ...round, targets } } }, { kind: 'mark' }]
}

function awaitStored(state: Sweep, round: Round, { nowMs }: { nowMs: number }, { storeMs }: Limits): Step {
  const phase: Phase = { kind: 'storing', round, giveUpAtMs: nowMs + storeMs }
  return [
    { ...state, phase },
    { kind: 'checkStored', afterMs: 0 },
  ]
}

function stored(
  state: Sweep,
  { round, giveUpAtMs }: Extract<Phase, { kind: 'storing' }>,
  { nowMs, isReached }: Extract<Event, { kind: 'stored' }>,
  limits: Limits,
): Step {
  if (!isReached && nowMs < giveUpAtMs) return [state, { kind: 'checkStored', afterMs: STORED_LOOK_MS }]
  const isBurying = isReached && round.mayBury
  const deadEpochs = isBurying ? [...round.targets, ...round.gone].flatMap((shard) => shard.deadEpochs) : []
  const { targets } = round
  if (targets.length === 0 && !isBurying) return setBack(state, nowMs, limits)
  const phase: Phase = {
    kind: 'joining',
    round: { ...round, mayBury: isBurying, busySinceMs: nowMs },
    isComplete: isReached,
  }
  return [
    { ...state, phase },
    { kind: 'join', targets, deadEpochs, isComplete: isReached },
  ]
}

function joined(
  state: Sweep,
  { round, isComplete }: Extract<Phase, { kind: 'joining' }>,
  { nowMs, tied }: Extract<Event, { kind: 'joined' }>,
): Step {
  const { startedAtMs, targets, gone, mayBury } = round
  const final = isComplete ? targets.filter(({ key }) => !tied.has(key)) : []
  const sweptOf = ({ key, identity, deadEpochs }: GoneShard, removals: number) => {
    const buriedEpochs = mayBury ? deadEpochs : []
    const event: SweptEvent = {
      kind: 'swept',
      identity,
      deleteTotal: removals,
      sweptAtMs: startedAtMs,
      buriedEpochs,
    }
    return { key, event }
  }
  const swept = final.map((target) => sweptOf(target, target.removals))
  const buried = mayBury ? gone.map((shard) => sweptOf(shard, 0)) : []
  const busyMs = round.busyMs + nowMs - round.busySinceMs
  const phase: Phase = {
    kind: 'finishing',
    round: { ...round, busyMs },
    isFinal: final.length === targets.length,
  }
  return [
    { ...state, phase },
    { kind: 'finish', swept: [...swept, ...buried], forget: buried.map(({ key }) => key) },
  ]
}

function finished(
  state: Sweep,
  { round, isFinal }: Extract<Phase, { kind: 'finishing' }>,
  { nowMs }: { nowMs: number },
  limits: Limits,
): Step {
  if (!isFinal) return setBack(state, nowMs, limits)
  const notBeforeMs = nowMs + Math.max(limits.pauseMs, REST_FACTOR * round.busyMs)
  return rest({ ...state, notBeforeMs, setbacks: 0 }, 0)
}

/** Tried again, ever more patiently: what hinders one sweep mostly hinders the next. */
function setBack(state: Sweep, nowMs: number, { pauseMs }: Limits): Step {
  const factor = Math.min(MAX_SETBACK_FACTOR, 2 ** state.setbacks)
  return rest({ ...state, notBeforeMs: nowMs + pauseMs * factor, setbacks: state.setbacks + 1 }, 0)
}

function rest(state: Sweep, forMs: number): Step {
  return [
    { ...state, phase: { kind: 'resting' } },
    { kind: 'rest', forMs },
  ]
}
