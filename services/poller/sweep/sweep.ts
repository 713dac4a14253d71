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
 * the snapshot held everything emitted by then. Nobody emits a document that was deleted before the start any more, so its
 * row was there to be found; until then the sweep stays due. But for a poller that wakes up late: what it writes of a key
 * that the snapshot never held stays until the sweep by age.
 */
import { FreshetError } from '@freshet/errors/errors.ts'
import { conclude, ended, leftBecause, rest, setBack } from './conclusion.ts'
import { buriableEpochs, type Captured, dependsOnOthers } from './dead-epochs.ts'
import type { Event, Limits, Phase, Round, Step, Sweep } from './sweep-state.ts'
import {
  areCaptured,
  dueTargets,
  type GoneShard,
  goneShards,
  isSettled,
  isStillSame,
  type Target,
} from './target.ts'

/** Between two looks of the same kind. */
const REST_MS = 1_000
const SETTLE_LOOK_MS = 500
const STORED_LOOK_MS = 1_000

export function newSweep(): Step {
  return rest({ notBeforeMs: 0, setbacks: 0, phase: { kind: 'resting' } }, 0)
}

export function step(state: Sweep, event: Event, limits: Limits): Step {
  if (event.kind === 'failed') return setBack(state, event.nowMs, limits)
  const { phase } = state
  if (phase.kind === 'resting' && event.kind === 'looked') return wake(state, event, limits)
  if (phase.kind === 'comparing' && event.kind === 'looked') return begin(state, event, limits)
  if (phase.kind === 'scanning' && event.kind === 'scanned') return scanned(state, phase, event, limits)
  if (phase.kind === 'settling' && event.kind === 'looked') return settle(state, phase, event, limits)
  if (phase.kind === 'marking' && event.kind === 'marked')
    return awaitStored(state, phase.round, event, limits)
  if (phase.kind === 'storing' && event.kind === 'stored') return stored(state, phase, event)
  if (phase.kind === 'joining' && event.kind === 'joined') return joined(state, phase, event)
  if (phase.kind === 'finishing' && event.kind === 'finished') return ended(state, phase, event, limits)
  throw new FreshetError('BUG', `a sweep that is ${phase.kind} does not expect ${event.kind}`)
}

type Looked = Extract<Event, { kind: 'looked' }>

function wake(state: Sweep, event: Looked, limits: Limits): Step {
  const { nowMs, shards } = event
  if (nowMs < state.notBeforeMs) return rest(state, Math.min(REST_MS, state.notBeforeMs - nowMs))
  if (whatIsDue(event, limits) === undefined) return rest(state, REST_MS)
  if (!dependsOnOthers(shards, limits)) return begin(state, event, limits)
  return [
    { ...state, phase: { kind: 'comparing' } },
    { kind: 'look', afterMs: 0, withCursors: true },
  ]
}

function begin(state: Sweep, event: Looked, limits: Limits): Step {
  const { nowMs } = event
  const due = whatIsDue(event, limits)
  if (due === undefined) return setBack(state, nowMs, limits)
  const round: Round = {
    startedAtMs: nowMs,
    targets: [],
    gone: due.gone,
    idle: new Set(),
    left: [],
    mayBury: false,
    busyMs: 0,
    busySinceMs: nowMs,
  }
  return scanNext(state, round, due.targets, { heldBytes: 0, nowMs }, limits)
}

function whatIsDue(
  { nowMs, ...captured }: Looked,
  limits: Limits,
): { targets: readonly Target[]; gone: readonly GoneShard[] } | undefined {
  const targets = dueTargets(captured, nowMs, limits)
  const gone = goneShards(captured, limits)
  const isSomething = targets.length > 0 || (gone.length > 0 && areCaptured(captured.shards))
  return isSomething ? { targets, gone } : undefined
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
      { kind: 'look', afterMs: 0, withCursors: false },
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
  event: Looked,
  limits: Limits,
): Step {
  const { nowMs, shards, cursors } = event
  const byKey = new Map(shards.map((shard) => [shard.key, shard]))
  const round = asItStands(phase.round, event, limits)
  const maxSeqNos = new Map(phase.maxSeqNos)
  for (const { key } of round.targets) {
    const seen = byKey.get(key)?.view
    if (seen !== undefined && !maxSeqNos.has(key)) maxSeqNos.set(key, seen.maxSeqNo)
  }
  const lookAgain = (afterMs: number, withCursors: boolean): Step => [
    { ...state, phase: { ...phase, round, maxSeqNos } },
    { kind: 'look', afterMs, withCursors },
  ]
  const isReady = (target: Target) => isSettled(byKey.get(target.key)!, target, maxSeqNos.get(target.key))
  if (nowMs < phase.giveUpAtMs && !round.targets.every(isReady)) return lookAgain(SETTLE_LOOK_MS, false)
  if (cursors === undefined && dependsOnOthers(shards, limits)) return lookAgain(0, true)
  const targets = round.targets.filter(isReady)
  const unsettled = round.targets.filter((target) => !isReady(target))
  const idle = targets.filter(({ key, checkpoint }) => maxSeqNos.get(key) === checkpoint)
  const next: Round = {
    ...round,
    targets,
    idle: new Set(idle.map(({ key }) => key)),
    left: [...round.left, ...leftBecause('unsettled', unsettled)],
  }
  if (targets.length === 0 && round.gone.length === 0) return conclude(state, next, NOT_JOINED)
  return [{ ...state, phase: { kind: 'marking', round: next } }, { kind: 'mark' }]
}

/** Without what has moved, and with what can be buried now. */
function asItStands(round: Round, captured: Captured, limits: Limits): Round {
  const byKey = new Map(captured.shards.map((shard) => [shard.key, shard]))
  const still: Target[] = []
  const moved: Target[] = []
  for (const target of round.targets) {
    const shard = byKey.get(target.key)
    if (shard === undefined || !isStillSame(shard, target)) moved.push(target)
    else still.push({ ...target, deadEpochs: buriableEpochs(shard, captured, limits) })
  }
  const wereGone = new Set(round.gone.map(({ key }) => key))
  return {
    ...round,
    targets: still,
    gone: goneShards(captured, limits).filter(({ key }) => wereGone.has(key)),
    left: [...round.left, ...leftBecause('moved', moved)],
    mayBury: areCaptured(captured.shards),
  }
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
): Step {
  if (!isReached && nowMs < giveUpAtMs) return [state, { kind: 'checkStored', afterMs: STORED_LOOK_MS }]
  const { targets, gone } = round
  const mayBury = isReached && round.mayBury
  const next = { ...round, mayBury, busySinceMs: nowMs }
  if (targets.length === 0 && !mayBury) return conclude(state, next, { ...NOT_JOINED, isComplete: isReached })
  const deadEpochs = mayBury ? [...targets, ...gone].flatMap((shard) => shard.deadEpochs) : []
  return [
    { ...state, phase: { kind: 'joining', round: next, isComplete: isReached } },
    { kind: 'join', targets, deadEpochs, isComplete: isReached },
  ]
}

const NOT_JOINED = { isComplete: false, tied: new Set<string>() }

function joined(
  state: Sweep,
  { round, isComplete }: Extract<Phase, { kind: 'joining' }>,
  { nowMs, tied }: Extract<Event, { kind: 'joined' }>,
): Step {
  const busyMs = round.busyMs + nowMs - round.busySinceMs
  return conclude(state, { ...round, busyMs }, { isComplete, tied })
}
