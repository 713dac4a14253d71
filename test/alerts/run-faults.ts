/** Breaks things in a running pipeline, mends them, and listens to what people are told. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ALERT_RULES } from '@freshet/config/alert-rules.ts'
import { until } from '../until.ts'
import type { AlertFault } from './fault.ts'
import type { Told } from './told.ts'
import type { AlertWorld } from './world.ts'

export interface FaultResult {
  readonly fault: AlertFault
  /** What people read first; undefined: nothing about it. */
  readonly alert: Told | undefined
  /** From the fault: when the rule may find it, with the time that it must last. */
  readonly dueSeconds: number
  /** From the fault; undefined: never. */
  readonly toldSeconds: number | undefined
  /** From the repair; undefined: never. */
  readonly resolvedSeconds: number | undefined
  /** How often people were told of it, whatever the change: once that it fires and once that it is over. */
  readonly timesTold: number
}

export interface RoundResult {
  readonly results: readonly FaultResult[]
  /** Told to be there, and neither a fault nor a consequence. */
  readonly unexpected: readonly Told[]
}

/** From being due until people have it. */
export const PROMISED_SECONDS = 30
/** From being due: more than the promise, so that a late alert is seen as late and not as missing. */
const GIVE_UP_MS = 90_000
/** What followed from a round's faults is to be over before the next one. */
const SETTLE_MS = 30_000
/** An alert that is told once must not be told again while it lasts. */
const HOLD_MS = 3_000

/** Once that it fires, within the time that is promised, and once that it is over. */
export function isPromised(result: FaultResult): boolean {
  const { fault, dueSeconds, toldSeconds, resolvedSeconds, timesTold } = result
  const isInTime = toldSeconds !== undefined && toldSeconds < dueSeconds + PROMISED_SECONDS
  if (result.alert?.change === 'FLAPPING') return isInTime
  if (fault.lingersSeconds !== undefined) return isInTime && timesTold === 1
  return isInTime && resolvedSeconds !== undefined && timesTold === 2
}

/** What has fired a few times already is told as flapping, and people hear no more of it until it has been calm. */
const BEGINS: ReadonlySet<Told['change']> = new Set(['FIRING', 'FLAPPING'])

/** All faults of a round are there at the same time, and none of them is to hide another. */
export async function runRound(world: AlertWorld, faults: readonly AlertFault[]): Promise<RoundResult> {
  const before = world.told.length
  const since = () => world.told.slice(before)
  const results = await Promise.all(faults.map((fault) => runFault(world, fault, since)))
  await comesTrue(() => openOf(since(), lingering(world, faults)).length === 0, SETTLE_MS)
  const known = faults.flatMap(({ cause, consequences = [] }) =>
    [cause, ...consequences].map((one) => one(world)),
  )
  return {
    results,
    unexpected: since()
      .filter(({ change }) => change !== 'RESOLVED')
      .filter(({ title }) => !known.some((cause) => cause.test(title))),
  }
}

/** What people were told is there, and not yet that it is over, but for what lasts on. */
function openOf(told: readonly Told[], lingers: readonly RegExp[]): readonly Told[] {
  const times = (change: Told['change']) => told.filter((one) => one.change === change)
  const lasting = times('FIRING').filter(({ title }) => lingers.some((cause) => cause.test(title)))
  return times('FIRING').slice(lasting.length + times('RESOLVED').length)
}

function lingering(world: AlertWorld, faults: readonly AlertFault[]): readonly RegExp[] {
  return faults.filter(({ lingersSeconds }) => lingersSeconds !== undefined).map(({ cause }) => cause(world))
}

async function runFault(
  world: AlertWorld,
  fault: AlertFault,
  since: () => readonly Told[],
): Promise<FaultResult> {
  const brokenAtMs = Date.now()
  const mend = await fault.begin(world)
  const isOfIt = ({ title }: Told) => fault.cause(world).test(title)
  /** That what the round before has left behind is over may be told before. */
  const ofIt = () => since().slice(firstFiring()).filter(isOfIt)
  const firstFiring = () => {
    const first = since().findIndex((told) => BEGINS.has(told.change) && isOfIt(told))
    return first < 0 ? since().length : first
  }
  const firing = () => ofIt().at(0)
  const resolved = () => ofIt().find(({ change }) => change === 'RESOLVED')
  const dueSeconds = dueAfter(world, fault)
  await comesTrue(() => firing() !== undefined, dueSeconds * 1_000 + GIVE_UP_MS)
  await sleep(HOLD_MS)
  const mendedAtMs = Date.now()
  await mend()
  if (firing()?.change === 'FIRING' && fault.lingersSeconds === undefined)
    await comesTrue(() => resolved() !== undefined, GIVE_UP_MS)
  const alert = firing()
  const over = resolved()
  return {
    fault,
    alert,
    dueSeconds,
    toldSeconds: alert && (alert.atMs - brokenAtMs) / 1_000,
    resolvedSeconds: over && (over.atMs - mendedAtMs) / 1_000,
    timesTold: ofIt().length,
  }
}

/** Where the threshold is an age, it is not over before that has passed. */
function dueAfter({ stack }: AlertWorld, { rule, unseenSeconds = 0 }: AlertFault): number {
  const { threshold = 0, forSeconds } = stack.settings.watchdog.rules[rule]
  const defaults = ALERT_RULES[rule]
  return (
    unseenSeconds + forSeconds + ('threshold' in defaults && defaults.threshold.unit === 's' ? threshold : 0)
  )
}

async function comesTrue(ask: () => boolean, giveUpMs: number): Promise<void> {
  await until('', async () => ask(), { giveUpMs }).catch(() => {}) // the result says that it did not
}
