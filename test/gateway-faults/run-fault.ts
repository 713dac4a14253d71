import type { Fault } from './fault.ts'
import { type Judged, judge, metStall, recoverySeconds } from './judge.ts'
import type { Asked, Stall } from './load/generator.ts'
import { monotonicMs } from './load/monotonic.ts'
import { bestScore, POOLS } from './ranked-index.ts'
import { IN_BOTH } from './truth.ts'
import { lookup, World } from './world.ts'

export interface FaultOptions {
  readonly seconds: number
  readonly requestsPerSecond: number
}

export interface FaultResult extends Judged {
  readonly name: string
  readonly title: string
  /** Late, and nothing of the machine was seen at that time, not even nearby. */
  readonly inexcusable: readonly Asked[]
  /** Answers that are wrong: another key's score, one that is older than known, one from a place that it cannot be from. */
  readonly wrong: readonly string[]
  /** From the repair; null: not while the load lasted. */
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
  const span = { fromMs: seconds * 120, toMs: Math.max(seconds * 350, seconds * 1_000 - AFTER_REPAIR_MS) }
  const at = { begunMs: 0, repairedMs: 0 }
  const order = {
    seconds,
    requestsPerSecond,
    requests: Array.from({ length: IN_BOTH }, (_, number) => lookup(number)),
    ...fault.load?.(span),
  }
  const { asked, stalls, control } = await world.load(order, async () => {
    const startedAtMs = monotonicMs()
    await sleepUntil(startedAtMs + span.fromMs)
    const repair = await fault.begin(world)
    at.begunMs = monotonicMs()
    await sleepUntil(startedAtMs + span.toMs)
    await repair()
    at.repairedMs = monotonicMs()
  })
  await fault.after?.(world)
  const allStalls: Stall[] = [...stalls, ...control.stalls]
  const judged = judge(asked, allStalls)
  return {
    name: fault.name,
    title: fault.title,
    ...judged,
    inexcusable: judged.late.filter((one) => !metStall(one, allStalls)),
    wrong: asked
      .filter((one) => !BROKEN_OFF.has(one.status) || !metStall(one, allStalls)) // a starved gateway closes what it had no time to read
      .flatMap((one) => whatIsWrong(one, fault, world, at) ?? []),
    recoverySeconds: recoverySeconds(asked, at.repairedMs, (one) => fault.isWell(one, world)),
    controlMaxLateMs: control.maxLateMs,
    exitCode: await world.stopGateway(),
    output: world.output.slice(-2_000),
  }
}

/** No answer, or one to a request that nobody had time to read. */
const BROKEN_OFF = new Set([0, 408])

/** Recovery must be seen within this. */
const AFTER_REPAIR_MS = 5_300

function whatIsWrong(
  one: Asked,
  fault: Fault,
  { truth }: World,
  { begunMs, repairedMs }: { begunMs: number; repairedMs: number },
): string | null {
  if (one.status === 503) return null
  if (one.status !== 200) return `${one.status} ${one.problem}`
  const isBroken = one.sentAtMs > begunMs + GRACE_MS && one.doneAtMs! < repairedMs - GRACE_MS
  const ofFault = isBroken ? fault.faultOf?.(one) : null
  if (ofFault) return ofFault
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
