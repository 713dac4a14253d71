import type { Fault } from './fault.ts'
import { type Judged, judge, metStall, recoverySeconds } from './judge.ts'
import type { Asked, LoadOrder, Stall } from './load/generator.ts'
import { monotonicMs } from './load/monotonic.ts'
import { bestScore, POOLS } from './ranked-index.ts'
import { fallsOfSnapshot, IN_BOTH } from './truth.ts'
import { lookup, World } from './world.ts'

export interface FaultOptions {
  readonly seconds: number
  readonly requestsPerSecond: number
}

export interface FaultResult extends Judged {
  readonly name: string
  readonly title: string
  /** Requests that were asked and answered while it was broken. */
  readonly askedWhileBroken: number
  /** Late, and nothing of the machine was seen at that time, not even nearby. */
  readonly inexcusable: readonly Asked[]
  /** Refused, though the fault asks no more than the gateway can take, and the machine ran. */
  readonly refusedWithoutCause: number
  /** Answers that are wrong: another key's score, one that is older than known, one from a place that it cannot be from. */
  readonly wrong: readonly string[]
  /** From the repair; null: not while it was asked. */
  readonly recoverySeconds: number | null
  /** How late the timer of the control process was at most. */
  readonly controlMaxLateMs: number
  /** Of the gateway when it was told to stop. */
  readonly exitCode: number | string | null
  /** The last that it wrote. */
  readonly output: string
}

/** An answer that was under way when the fault came may be of either side. */
const GRACE_MS = 30

/** Breaks something while the gateway is asked, mends it, and holds every answer against what it can be. */
export async function runFault(
  fault: Fault,
  { seconds, requestsPerSecond }: FaultOptions,
): Promise<FaultResult> {
  await using world = await World.open(fault.world ?? {})
  await world.begin(fault.world ?? {})
  await fault.prepare?.(world)
  await using _writing = world.keepWriting()
  const span = { fromMs: seconds * 60, toMs: seconds * 1_000 - AFTER_REPAIR_MS }
  const at = { begunMs: 0, repairedMs: 0 }
  const order = {
    seconds,
    requestsPerSecond,
    requests: Array.from({ length: IN_BOTH }, (_, number) => lookup(number)),
    ...fault.load?.(span),
  }
  const { asked, ...told } = await world.load(order, async () => {
    const startedAtMs = monotonicMs()
    await sleepUntil(startedAtMs + span.fromMs)
    const repair = await fault.begin(world)
    at.begunMs = monotonicMs()
    await sleepUntil(Math.max(startedAtMs, at.begunMs - span.fromMs) + span.toMs)
    await repair()
    at.repairedMs = monotonicMs()
  })
  await fault.after?.(world)
  const stalls: Stall[] = [...told.stalls, ...told.control.stalls]
  const judged = judge(asked, stalls)
  const broken = asked.filter((one) => isWhileBroken(one, order, at))
  const isInexcusable = (one: Asked) => !metStall(one, stalls)
  return {
    name: fault.name,
    title: fault.title,
    ...judged,
    askedWhileBroken: broken.length,
    inexcusable: judged.late.filter(isInexcusable),
    refusedWithoutCause: fault.mayRefuse
      ? 0
      : asked.filter((one) => one.status === 503 && isInexcusable(one)).length,
    wrong: [
      ...asked
        .filter((one) => !BROKEN_OFF.has(one.status) || isInexcusable(one)) // a starved gateway closes what it had no time to read
        .flatMap((one) => whatIsWrong(one, fault, world) ?? []),
      ...broken.flatMap((one) => (one.status === 200 ? (fault.faultOf?.(one) ?? []) : [])),
      ...fallsOfSnapshot(asked),
      ...(fault.faultOfAll?.(broken) ?? []),
    ].flat(),
    recoverySeconds: await recovery(fault, world, asked, { order, repairedMs: at.repairedMs }),
    controlMaxLateMs: told.control.maxLateMs,
    exitCode: await world.stopGateway(),
    output: world.output.slice(-2_000),
  }
}

/** No answer, or one to a request that nobody had time to read. */
const BROKEN_OFF = new Set([0, 408])

/** So long the load goes on when it is mended. */
const AFTER_REPAIR_MS = 1_700
/** Who is not well by then is asked a little more, so often. */
const MORE_LOADS = 10

type Order = Omit<LoadOrder, 'port'>

/** Where it is in what is asked, that tells; else time does. */
function isWhileBroken(
  { inPhase, sentAtMs, doneAtMs }: Asked,
  { phases }: Order,
  { begunMs, repairedMs }: { begunMs: number; repairedMs: number },
): boolean {
  if (phases !== undefined) return inPhase
  return sentAtMs > begunMs + GRACE_MS && doneAtMs !== null && doneAtMs < repairedMs - GRACE_MS
}

/** However long the machine takes over it, within a bound. */
async function recovery(
  fault: Fault,
  world: World,
  asked: readonly Asked[],
  { order: { requests }, repairedMs }: { order: Order; repairedMs: number },
): Promise<number | null> {
  const all = [...asked]
  for (let loads = 0; ; loads++) {
    const seconds = recoverySeconds(all, repairedMs, (one) => fault.isWell(one, world))
    if (seconds !== null || loads === MORE_LOADS) return seconds
    all.push(...(await world.load({ requests, seconds: 1.5, requestsPerSecond: 100 }, async () => {})).asked)
  }
}

function whatIsWrong(one: Asked, fault: Fault, { truth }: World): string | null {
  if (one.status === 503) return null
  if (one.status !== 200) return `${one.status} ${one.problem}`
  if (one.pool !== null) return whatIsWrongWithTheBest(one)
  switch (one.source) {
    case 'live':
      return one.score === Number(one.key!.slice('flights/k-'.length)) * 10
        ? null
        : `${one.key} got ${one.score} live`
    case 'default':
      return fault.allowsDefault === true ? null : `${one.key} got the default for ${one.reason}`
    default:
      return truth.faultOf(one)
  }
}

/** A pool's best document has the best score that the pool's number can have; a late model leaves it none, and says so. */
function whatIsWrongWithTheBest({ score, source, reason }: Asked): string | null {
  if (source !== 'live') return reason === null ? `a ranking by ${source} without a reason` : null
  return BEST.has(score!) ? null : `the best of a pool has ${score}`
}

const BEST = new Set(Array.from({ length: POOLS }, (_, pool) => bestScore(pool)))

async function sleepUntil(atMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, atMs - monotonicMs())))
}
