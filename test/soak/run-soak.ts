import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { readFlights } from '@freshet/demo/flights.ts'
import { checkConservation, type OracleReport } from '@freshet/oracle/oracle.ts'
import { totalOf, type VerifyReport } from '@freshet/reconcile/verify-report.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { freshet } from '../freshet.ts'
import { commit, describeHost, type Host, loadNow } from '../host.ts'
import type { TestServers } from '../start-servers.ts'
import { Observer } from './observer.ts'
import { type Amounts, SoakDocuments } from './operations.ts'
import { type Figures, figuresOf } from './summary.ts'
import { SoakWorld } from './world.ts'
import { BulkWriter, type Pace } from './writer.ts'

export interface SoakPlan extends Amounts {
  readonly pace: Pace
  /** The load ends then, whatever is written by then. */
  readonly loadMinutes: number
  /** Gets a row every 10 s, and the summary as the last line. */
  readonly file: string
  readonly report: (line: string) => void
  readonly signal: AbortSignal
}

export interface SoakSummary {
  readonly host: Host & { readonly commit: string; readonly date: string; readonly loadBefore: number }
  readonly plan: Amounts & { readonly pace: Pace }
  readonly figures: Figures
  /** After the end of the load, until nothing waited. */
  readonly drainSeconds: { readonly toRedis: number; readonly toSnapshot: number }
  readonly snapshot: { readonly rows: number; readonly bytes: number; readonly files: number }
  readonly diskBytes: Readonly<Record<string, number>>
  readonly proof: {
    /** null in a result of a run that was ended before. */
    readonly verify:
      | (ReturnType<typeof totalOf> & { readonly exitCode: number | null; readonly seconds: number })
      | null
    /** null: so many documents that the oracle, which holds all in memory, was not asked. */
    readonly oracle: { readonly live: number; readonly redis: Broken; readonly snapshot: Broken } | null
  }
}

interface Broken {
  readonly missing: number
  readonly stale: number
  readonly extra: number
}

/** Of the updates so many wait until all else is done, and are written slowly. */
const CALM_SHARE = 0.1
const CALM_RATE_SHARE = 0.25
const DRAIN_MS = 1_800_000
const LOOK_EVERY_MS = 500
const FINDINGS_TOLD = 20
/** Beyond, `verify` alone proves: it holds 16 bytes a document where the oracle holds the scores. */
const MOST_FOR_THE_ORACLE = 1_000_000

/** Documents through the whole pipeline, what that takes, and the proof at the end. */
export async function runSoak(plan: SoakPlan, servers: TestServers): Promise<SoakSummary> {
  const { documents, updates, deletes, pace, loadMinutes, file, report, signal } = plan
  const host = {
    ...describeHost(),
    commit: commit(),
    date: new Date().toISOString().slice(0, 10),
    loadBefore: loadNow(), // so it is the machine's other work
  }
  const slowly = Math.floor(updates * CALM_SHARE)
  const stream = new SoakDocuments({ documents, updates: updates - slowly, deletes }, await readFlights())
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, '')
  await using world = await SoakWorld.open(servers)
  const { stack, samples } = world
  const writer = new BulkWriter({ client: stack.client, index: stack.index, samples })
  await using observer = new Observer({ world, writer, file, report })
  await observer.look()

  await writer.writeAll(stream.load(), pace, { enough: AbortSignal.timeout(loadMinutes * 60_000), signal })
  await observer.enter('drain')
  const drainSeconds = await drained(world, signal)
  await observer.enter('calm')
  const perSecond = Math.max(1, CALM_RATE_SHARE * figuresOf(observer.rows).changesPerSecond)
  const { creates } = writer.written
  const calm = stream.updates(Math.ceil((slowly * creates) / documents), creates)
  await writer.writeAll(calm, { perSecond }, { signal })
  await observer.enter('settle')
  report('asks `freshet verify`, which waits for sweep and snapshot')
  const verify = await verified(world, plan)
  await observer.look()
  const summary: SoakSummary = {
    host,
    plan: { documents, updates, deletes, pace },
    figures: figuresOf(observer.rows),
    drainSeconds,
    snapshot: await world.snapshot(),
    diskBytes: world.diskBytes(),
    proof: { verify, oracle: creates <= MOST_FOR_THE_ORACLE ? await askOracle(world) : null },
  }
  appendFileSync(file, `${JSON.stringify({ summary })}\n`)
  return summary
}

/** Everything that was written has its score, and nothing else has one. */
export function holds({ proof: { verify, oracle } }: SoakSummary): boolean {
  const broken = oracle === null ? [] : [oracle.redis, oracle.snapshot]
  return verify?.exitCode === 0 && broken.every(({ missing, stale, extra }) => missing + stale + extra === 0)
}

/** How long it takes until no sample waits and no group is behind. The snapshot has its own interval. */
async function drained(world: SoakWorld, signal: AbortSignal): Promise<SoakSummary['drainSeconds']> {
  const { samples, pulse } = world
  const beganMs = performance.now()
  const secondsUntil = async (isDone: () => boolean) => {
    while (!isDone()) {
      signal.throwIfAborted()
      if (performance.now() - beganMs > DRAIN_MS) throw new Error('the queues do not empty')
      await systemClock.sleep(LOOK_EVERY_MS, signal)
    }
    return Math.round((performance.now() - beganMs) / 100) / 10
  }
  const isEmpty = (...workers: readonly string[]) =>
    pulse.lag.every(({ worker, lagRecords }) => !workers.includes(worker) || lagRecords === 0)
  const toRedis = await secondsUntil(() => samples.waitingSeconds === 0 && isEmpty('infer', 'cache'))
  const toSnapshot = await secondsUntil(() => isEmpty('infer', 'cache', 'snapshot'))
  return { toRedis, toSnapshot }
}

async function verified(
  { stack }: SoakWorld,
  { report, signal }: SoakPlan,
): Promise<SoakSummary['proof']['verify']> {
  const beganMs = performance.now()
  const { code, stdout, stderr } = await freshet(['--json', 'verify'], stack.env, { signal, onError: report })
  const seconds = Math.round((performance.now() - beganMs) / 1_000)
  try {
    const found = JSON.parse(stdout) as VerifyReport
    for (const { kind, key, reason } of found.findings.slice(0, FINDINGS_TOLD))
      report(`verify: ${kind} ${key}${reason === undefined ? '' : `, ${reason}`}`)
    return { exitCode: code, seconds, ...totalOf(found) }
  } catch (error) {
    report(`verify ended with ${code}, and no report can be read (${String(error)}): ${stderr}`)
    return null // what was measured is kept all the same
  }
}

async function askOracle({ stack }: SoakWorld): Promise<SoakSummary['proof']['oracle']> {
  const { client, index, settings, store, bundle } = stack
  const { pipeline, redis } = settings
  const report = await checkConservation({ client, index, pipeline, redisUrl: redis.url, store, bundle })
  return {
    live: report.liveDocuments,
    redis: countsOf(report.redis),
    snapshot: countsOf(report.snapshot),
  }
}

function countsOf({ missing, stale, extra }: OracleReport['redis']): Broken {
  return { missing: missing.length, stale: stale.length, extra: extra.length }
}
