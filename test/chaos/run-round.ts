/** One round: the demo's load, a schedule of faults, and what is true at the end. */
import { setTimeout as sleep } from 'node:timers/promises'
import { checkConservation, isConserved, type OracleReport } from '@freshet/oracle/oracle.ts'
import { freshet } from '../freshet.ts'
import { starvedBefore, unexplained } from './alerts.ts'
import { isBack, type Resources, resourcesOf } from './resources.ts'
import { scheduleOf } from './schedule.ts'
import type { ChaosServers } from './servers.ts'
import { strike } from './strikes.ts'
import { PROCESSES } from './targets.ts'
import type { Verdict } from './verdict.ts'
import { ChaosWorld } from './world.ts'

export interface RoundPlan {
  readonly seed: number
  readonly minutes: number
  /** Writes a second, and requests a second. */
  readonly rate: number
  readonly requestsPerSecond: number
  readonly tell: (line: string) => void
  readonly signal: AbortSignal
}

/** Under load, before the first blow. */
const WARM_MS = 10_000
/** The load goes on for so long after the last repair. */
const AFTER_MS = 3_000
const PATIENCE_MS = 180_000
const ASK_EVERY_MS = 1_000
const KEYS = 500

export async function runRound(servers: ChaosServers, plan: RoundPlan): Promise<Verdict> {
  const { seed, minutes, rate, requestsPerSecond, tell, signal } = plan
  const lengthMs = minutes * 60_000
  await using world = await ChaosWorld.open(servers, tell)
  const over = new AbortController()
  const feeding = world.feed(rate, over.signal)
  feeding.catch(() => {}) // told when it is awaited
  await conserved(world, PATIENCE_MS, false)
  for (const name of ['watchdog', 'watchdog-2'] as const) world.start(name)
  await sleep(WARM_MS)
  const before = look(world)
  tell(`strikes begin [seed ${seed}]`)
  await world.callers.begin(
    {
      port: Number(new URL(world.stack.gatewayUrl).port),
      requests: world.keys.slice(0, KEYS).map(lookup),
      seconds: Math.ceil((lengthMs + AFTER_MS) / 1_000),
      requestsPerSecond,
    },
    world.stack.pidOf('gateway'),
  )
  const struck = await strike(world, scheduleOf(seed, lengthMs), { tell, signal })
  const mendedAtMs = performance.now()
  tell('all is mended')
  await sleep(AFTER_MS)
  over.abort()
  await feeding
  const callers = await world.callers.report()
  const report = await conserved(world, PATIENCE_MS)
  const healthySeconds = report.isHealthy ? (performance.now() - mendedAtMs) / 1_000 : null
  tell(`healthy after ${healthySeconds?.toFixed(1)} s`)
  const verified = await freshet(['verify', '--limit', '5'], world.stack.env)
  const open = await untilNothingIsOpen(world)
  const resources = await untilBack(world, before)
  return {
    ...{
      seed,
      minutes,
      faults: struck.done.length,
      passedOver: struck.passedOver,
      findings: struck.findings,
    },
    writes: world.tally.writes,
    proof: report.report && countsOf(report.report),
    verify: { code: verified.code, says: `${verified.stdout}${verified.stderr}` },
    ...{ callers, healthySeconds, resources },
    told: world.told.length,
    unexplained: unexplained(world.told, struck.done, (atMs) =>
      starvedBefore(atMs, { lateAtMs: callers.lateByTheMachineAtMs, requestsPerSecond }),
    ),
    open,
  }
}

/** Every process runs, the gateway has all its sources, and no score is missing, stale or extra. */
async function conserved(world: ChaosWorld, patienceMs: number, isWhole = true) {
  const giveUpAtMs = performance.now() + patienceMs
  let report: OracleReport | null = null
  for (;;) {
    try {
      const rungs = await rungsOf(world)
      if (['cache', 'snapshot', 'live'].every((name) => rungs[name]?.ready === true)) {
        if (!isWhole) return { report, isHealthy: true }
        report = await askOracle(world)
        const allRun = PROCESSES.every((name) => world.stack.runsAs(name, world.stack.pidOf(name)))
        if (isConserved(report) && allRun) return { report, isHealthy: true }
      }
    } catch {
      // not yet: what it asks has only just come back
    }
    if (performance.now() > giveUpAtMs) return { report, isHealthy: false }
    await sleep(ASK_EVERY_MS)
  }
}

async function rungsOf({ stack }: ChaosWorld): Promise<Record<string, { ready: boolean } | undefined>> {
  const response = await fetch(`${stack.gatewayUrl}/readyz`, { signal: AbortSignal.timeout(2_000) })
  return ((await response.json()) as { rungs: Record<string, { ready: boolean }> }).rungs
}

function askOracle({ stack: { client, settings, store, bundle } }: ChaosWorld): Promise<OracleReport> {
  return checkConservation({
    ...{ client, store, bundle },
    index: settings.elasticsearch.index,
    pipeline: settings.pipeline,
    redisUrl: settings.redis.url,
  })
}

function countsOf({ liveDocuments, redis, snapshot }: OracleReport) {
  const count = (name: 'missing' | 'stale' | 'extra') => new Set([...redis[name], ...snapshot[name]]).size
  return {
    documents: liveDocuments,
    missing: count('missing'),
    stale: count('stale'),
    extra: count('extra'),
  }
}

async function untilNothingIsOpen(world: ChaosWorld): Promise<readonly string[] | null> {
  const giveUpAtMs = performance.now() + PATIENCE_MS
  for (let open: readonly string[] | null = null; ; ) {
    open = await world.openAlerts().catch(() => null)
    if (open?.length === 0 || performance.now() > giveUpAtMs) return open
    await sleep(ASK_EVERY_MS)
  }
}

function look({ stack }: ChaosWorld): Record<string, Resources> {
  return Object.fromEntries(PROCESSES.map((name) => [name, resourcesOf(stack.pidOf(name))]))
}

const GIVE_BACK_MS = 60_000

async function untilBack(world: ChaosWorld, before: Record<string, Resources>) {
  const giveUpAtMs = performance.now() + GIVE_BACK_MS
  for (;;) {
    const compared = Object.entries(look(world)).map(([name, after]) => {
      const was = before[name]!
      return [name, { before: was, after, isBack: isBack(after, was) }] as const
    })
    if (compared.every(([, { isBack }]) => isBack) || performance.now() > giveUpAtMs)
      return Object.fromEntries(compared)
    await sleep(ASK_EVERY_MS)
  }
}

function lookup(key: string): string {
  const path = key.split('/').map(encodeURIComponent).join('/')
  return `GET /v1/scores/${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`
}
