import { readManifest } from '@freshet/snapshot/manifest.ts'
import { startBareScorer } from './bare-programs.ts'
import { cpuMicrosOf } from './cost.ts'
import type { Bench, Figure, Sample } from './figure.ts'
import { emptyStore } from './snapshot-world.ts'
import { fullLoad, openPath, PAGE_EVERY_MS, type Path, steadily } from './timed-changes.ts'

/** Before the first round. */
const WARM_UP_LOADS = 5
const WARM_UP_PAGE_ROWS = 800
const WARM_UP_SECONDS = 45
/** Before what is measured of a round. */
const SETTLE_SECONDS = 4
const ROUND_SECONDS = 8
const LOAD_SHARE = 0.5
/** In each of its rounds the snapshot worker writes a delta, and merges when that is due. */
const DELTA_SECONDS = 10

/**
 * What scoring adds to a change: from the moment before it is handed to Kafka until its score is seen in Redis, through
 * `freshet run scorer` as it is with infer and cache, while changes come at half of what it was just seen to take in.
 * Only the last change of each partition of a page is looked for, so these are the slowest of each page.
 * Baseline: bare-scorer.ts, in a pipeline of its own, at half of what that one takes in.
 */
export const inferLatency: Figure = {
  name: 'infer-latency',
  unit: 'ms (p99)',
  title: 'change to Redis at half of the full load; baseline: kafkajs, ONNX Runtime and SET',
  targets: [{ of: 'value', atMost: 50 }],
  open: () => openLatency({ workers: 'infer,cache', seconds: ROUND_SECONDS }),
}

/** The same with all three workers in the one process, as it is by default, and a delta of the snapshot in each round. */
export const inferLatencyWithSnapshot: Figure = {
  name: 'infer-latency-with-snapshot',
  unit: 'ms (p99)',
  title: `the same with the snapshot worker in the process and a delta every ${DELTA_SECONDS} s; baseline: the same`,
  targets: [{ of: 'value', atMost: 50 }],
  open: () => openLatency({ workers: 'infer,cache,snapshot', seconds: DELTA_SECONDS }),
}

interface Timed {
  readonly workers: string
  /** Of a round. */
  readonly seconds: number
}

async function openLatency({ workers, seconds }: Timed): Promise<Bench> {
  await using opened = new AsyncDisposableStack()
  const path = await openPath(opened, {
    FRESHET_SCORER_WORKERS: workers,
    FRESHET_SNAPSHOT_INTERVAL_SECONDS: `${DELTA_SECONDS}`,
  })
  const { stack } = path
  stack.start('scorer')
  opened.defer(async () => {
    await stack.stop('scorer')
    await emptyStore(stack.store)
  })
  const barePath = await openPath(opened)
  const bare = opened.use(await startBareScorer(barePath.stack.settings))
  await warmUp(path)
  await warmUp(barePath)
  const keep = opened.move()
  const own = async () => {
    const sample = await round(path, stack.pidOf('scorer'), seconds)
    if (workers.includes('snapshot') && sample.also!['commits'] === 0)
      throw new Error('no delta was written while the latency was measured')
    return sample
  }
  return {
    ours: own,
    baselines: { bare: () => round(barePath, bare.pid, seconds) },
    [Symbol.asyncDispose]: () => keep.disposeAsync(),
  }
}

/** Kafka's compiler and V8's have seen nothing yet, and take cores until they have. */
async function warmUp(path: Path): Promise<void> {
  for (let load = 0; load < WARM_UP_LOADS; load++) await fullLoad(path)
  await steadily(path, WARM_UP_PAGE_ROWS, WARM_UP_SECONDS)
}

/** So many times the snapshot was written. */
async function commitsOf({ stack }: Path): Promise<number> {
  return (await readManifest(stack.store, stack.settings.pipeline))?.manifest.sequence ?? 0
}

async function round(path: Path, pid: number, seconds: number): Promise<Sample> {
  const fullRowsPerSecond = await fullLoad(path)
  const pageRows = Math.round((fullRowsPerSecond * LOAD_SHARE * PAGE_EVERY_MS) / 1_000)
  await steadily(path, pageRows, SETTLE_SECONDS)
  const commitsBefore = await commitsOf(path)
  const before = cpuMicrosOf(pid)
  const { rows, latenciesMs } = await steadily(path, pageRows, seconds)
  const cpuMicros = cpuMicrosOf(pid) - before
  const commits = (await commitsOf(path)) - commitsBefore
  const sorted = latenciesMs.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!
  const load = { fullRowsPerSecond, rowsPerSecond: rows / seconds }
  const also = { p50Ms: at(0.5), p90Ms: at(0.9), ...load, commits }
  return { value: at(0.99), cpuMicrosPerRow: cpuMicros / rows, also, most: { maxMs: at(1) } }
}
