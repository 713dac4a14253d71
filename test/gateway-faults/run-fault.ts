import type { Fault } from './fault.ts'
import {
  isLateBeyond,
  type Judged,
  judge,
  metStall,
  missedShares,
  recoverySeconds,
  stalledMs,
  times,
  waitedMs,
} from './judge.ts'
import type { ThreadWait } from './load/control.ts'
import type { Asked, LoadOrder, Stall, Timed } from './load/generator.ts'
import { monotonicMs } from './load/monotonic.ts'
import { bestScore, POOLS } from './ranked-index.ts'
import { fallsOfSnapshot, IN_BOTH } from './truth.ts'
import { lookup, World } from './world.ts'

export interface FaultOptions {
  readonly seconds: number
  readonly requestsPerSecond: number
}

interface Others {
  readonly count: number
  /** More than the machine excuses. */
  readonly late: number
  readonly p50Ms: number
  readonly maxMs: number
}

export interface FaultResult extends Judged {
  readonly name: string
  readonly title: string
  /** The same for each operation, where several were asked. */
  readonly ofOperations: Readonly<Record<string, Judged>>
  /** Requests that were asked and answered while it was broken. */
  readonly askedWhileBroken: number
  /** Of these, how many met no stall of the machine, and can be judged by the clock. */
  readonly undisturbed: number
  /** Late, and nothing of the machine was seen at that time, not even nearby. */
  readonly inexcusable: readonly Timed[]
  /** Answers to others than the load; null where there are none. */
  readonly others: Others | null
  /** Of answers to single lookups and predictions, those that came past node:http. */
  readonly plainShare: number
  /** Refused, though the fault asks no more than the gateway can take, and the machine ran. */
  readonly refusedWithoutCause: number
  /** Answers that are wrong: another key's score, one that is older than known, one from a place that it cannot be from. */
  readonly wrong: readonly string[]
  /** What most of the undisturbed should have got, and too few did. */
  readonly missedShares: readonly string[]
  /** From the repair; null: not while it was asked. */
  readonly recoverySeconds: number | null
  /** So long of that the machine stood still, or gave no core to threads that had to compute. */
  readonly recoveryStalledSeconds: number
  /** How late the timer of the control process was at most. */
  readonly controlMaxLateMs: number
  /** Of the gateway when it was told to stop. */
  readonly exitCode: number | string | null
  /** The last that it wrote. */
  readonly output: string
}

const LATE_WHATEVER_BOUNDS = 2

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
    ...fault.load?.(span, world),
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
  const stalls: Stall[] = [...told.stalls, ...told.control.stalls]
  // First: what must come about in the end may take as long as it likes.
  const recovered = await recovery(fault, world, {
    asked,
    stalls,
    waits: told.control.waits,
    order,
    repairedMs: at.repairedMs,
  })
  await fault.after?.(world)
  const judged = judge(asked, stalls)
  const broken = asked.filter((one) => isWhileBroken(one, order, at))
  const isInexcusable = (one: Timed) => !metStall(one, stalls)
  const othersStalls = [...stalls, ...world.otherStalls]
  const isOthersOwn = (one: Timed) => !metStall(one, othersStalls)
  const undisturbed = broken.filter(isInexcusable)
  const others = world.otherAnswers
  // A stall nearby does not excuse one that waited for a bound more than all stalls together took.
  const lateOthers = others.filter((one) =>
    isLateBeyond(one, othersStalls, isOthersOwn(one) ? 1 : LATE_WHATEVER_BOUNDS),
  )
  return {
    name: fault.name,
    title: fault.title,
    ...judged,
    ofOperations: judgedByOperation(asked, stalls),
    askedWhileBroken: broken.length,
    undisturbed: undisturbed.length,
    inexcusable: judged.late.filter(isInexcusable),
    others: judgedOthers(others, lateOthers.length),
    plainShare: plainShare(asked),
    refusedWithoutCause: [
      ...asked.filter((one) => !fault.mayRefuse?.(one) && isInexcusable(one)),
      ...others.filter(isOthersOwn),
    ].filter(({ status }) => status === 503).length,
    wrong: [
      ...asked
        .filter((one) => !BROKEN_OFF.has(one.status) || isInexcusable(one)) // a starved gateway closes what it had no time to read
        .flatMap((one) => whatIsWrong(one, fault, world) ?? []),
      ...broken.flatMap((one) => (one.status === 200 ? (fault.faultOf?.(one) ?? []) : [])),
      ...fallsOfSnapshot(asked),
      ...(fault.faultOfAll?.(broken) ?? []),
    ].flat(),
    missedShares: missedShares(fault.shares ?? [], undisturbed),
    ...recovered,
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

function judgedByOperation(asked: readonly Asked[], stalls: readonly Stall[]): FaultResult['ofOperations'] {
  const groups = [...Map.groupBy(asked, ({ operation }) => operation)]
  if (groups.length === 1) return {}
  return Object.fromEntries(groups.map(([operation, own]) => [operation, judge(own, stalls)]))
}

/** What is asked for once at a time, kept alive, and by itself on its connection need not come to node:http. */
const PLAIN_OPERATIONS = new Set(['GET /v1/scores', 'POST /v1/predict'])

function plainShare(asked: readonly Asked[]): number {
  const answered = asked.filter(({ operation, status }) => PLAIN_OPERATIONS.has(operation) && status !== 0)
  return answered.filter(({ isPlain }) => isPlain).length / answered.length
}

function judgedOthers(answers: readonly Timed[], late: number): Others | null {
  if (answers.length === 0) return null
  const at = times(answers)
  return { count: answers.length, late, p50Ms: at(0.5), maxMs: at(1) }
}

interface Load {
  readonly asked: readonly Asked[]
  readonly stalls: readonly Stall[]
  readonly waits: readonly ThreadWait[]
  readonly order: Order
  readonly repairedMs: number
}

/** However long it takes, within a bound: how long is for others to judge. */
async function recovery(
  fault: Fault,
  world: World,
  { asked, stalls, waits, order: { requests }, repairedMs }: Load,
): Promise<Pick<FaultResult, 'recoverySeconds' | 'recoveryStalledSeconds'>> {
  const [all, allStalls, allWaits] = [[...asked], [...stalls], [waits]]
  for (let loads = 0; ; loads++) {
    const seconds = recoverySeconds(all, repairedMs, (one) => fault.isWell(one, world))
    if (seconds !== null || loads === MORE_LOADS) {
      const span = { sentAtMs: repairedMs, doneAtMs: repairedMs + (seconds ?? 0) * 1_000 }
      const withoutCoreMs = allWaits.reduce((ms, some) => ms + waitedMs(some, repairedMs, span.doneAtMs), 0)
      const byThreadsMs = withoutCoreMs / (fault.computingThreads ?? Number.POSITIVE_INFINITY)
      const stalled = Math.max(stalledMs(span, allStalls), byThreadsMs)
      return { recoverySeconds: seconds, recoveryStalledSeconds: stalled / 1_000 }
    }
    const more = await world.load({ requests, seconds: 1.5, requestsPerSecond: 100 }, async () => {})
    all.push(...more.asked)
    allStalls.push(...more.stalls, ...more.control.stalls)
    allWaits.push(more.control.waits)
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
