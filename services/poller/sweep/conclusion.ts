/** How a round of the sweep ends: what is final, what stays due and why, and when the next one begins. */
import type { Effect, Event, LeftShard, Limits, Phase, Round, Step, Sweep, Why } from './sweep-state.ts'
import type { GoneShard, Target } from './target.ts'

/** A sweep is followed by at least so many times the time that it worked: a share of a fifth. */
const REST_FACTOR = 4
/** By the clock, a process that was frozen for hours has worked for hours. */
const MAX_REST_MS = 600_000
const MAX_SETBACK_FACTOR = 16

/**
 * A tied shard stays due: its next sweep begins at a higher checkpoint. But where nothing was written from the checkpoint
 * to the last page, the row's document was not deleted: it is there, and out of scope, as under a filter with `now`. No
 * sweep can do anything about it before the next write.
 * @param joined whether the snapshot held everything that was waited for, and which targets are tied
 */
export function conclude(
  state: Sweep,
  round: Round,
  { isComplete, tied }: { readonly isComplete: boolean; readonly tied: ReadonlySet<string> },
): Step {
  const { targets, gone, idle, mayBury } = round
  const isFinal = ({ key }: Target) => isComplete && (!tied.has(key) || idle.has(key))
  const swept = targets.filter(isFinal).map((target) => sweptOf(target, target.removals, round))
  const buried = mayBury ? gone.map((shard) => sweptOf(shard, 0, round)) : []
  const unfinished = targets.filter((target) => !isFinal(target))
  const effect: Effect = {
    kind: 'finish',
    swept: [...swept, ...buried],
    forget: buried.map(({ key }) => key),
    left: [
      ...round.left,
      ...leftBecause(isComplete ? 'tied' : 'notStored', unfinished),
      ...leftBecause(isComplete ? 'unsettled' : 'notStored', mayBury ? [] : gone),
    ],
    waiting: targets.filter((target) => isFinal(target) && tied.has(target.key)),
  }
  const isFruitless = effect.swept.length === 0
  return [{ ...state, phase: { kind: 'finishing', round, isFruitless } }, effect]
}

function sweptOf({ key, identity, deadEpochs }: GoneShard, removals: number, round: Round) {
  const event = {
    kind: 'swept' as const,
    identity,
    deleteTotal: removals,
    sweptAtMs: round.startedAtMs,
    buriedEpochs: round.mayBury ? deadEpochs : [],
  }
  return { key, event }
}

export function leftBecause(why: Why, shards: readonly GoneShard[]): LeftShard[] {
  return shards.map(({ index, shard }) => ({ index, shard, why }))
}

export function ended(
  state: Sweep,
  { round, isFruitless }: Extract<Phase, { kind: 'finishing' }>,
  { nowMs }: Extract<Event, { kind: 'finished' }>,
  limits: Limits,
): Step {
  if (isFruitless) return setBack(state, nowMs, limits)
  const restMs = Math.min(REST_FACTOR * round.busyMs, MAX_REST_MS)
  const notBeforeMs = nowMs + Math.max(limits.pauseMs, restMs)
  return rest({ ...state, notBeforeMs, setbacks: 0 }, 0)
}

/** Tried again, ever more patiently: what hinders one sweep mostly hinders the next. */
export function setBack(state: Sweep, nowMs: number, { pauseMs }: Limits): Step {
  const factor = Math.min(MAX_SETBACK_FACTOR, 2 ** state.setbacks)
  return rest({ ...state, notBeforeMs: nowMs + pauseMs * factor, setbacks: state.setbacks + 1 }, 0)
}

export function rest(state: Sweep, forMs: number): Step {
  return [
    { ...state, phase: { kind: 'resting' } },
    { kind: 'rest', forMs },
  ]
}
