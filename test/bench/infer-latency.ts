import { startBareScorer } from './bare-programs.ts'
import { cpuMicrosOf } from './cost.ts'
import type { Bench, Figure, Sample } from './figure.ts'
import { fullLoad, openPath, PAGE_EVERY_MS, type Path, steadily } from './timed-changes.ts'

/** Before the first round. */
const WARM_UP_LOADS = 5
const WARM_UP_PAGE_ROWS = 800
const WARM_UP_SECONDS = 45
/** Before what is measured of a round. */
const SETTLE_SECONDS = 4
const ROUND_SECONDS = 8
const LOAD_SHARE = 0.5

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
  async open(): Promise<Bench> {
    await using opened = new AsyncDisposableStack()
    const path = await openPath(opened)
    path.stack.start('scorer')
    const barePath = await openPath(opened)
    const bare = opened.use(await startBareScorer(barePath.stack.settings))
    await warmUp(path)
    await warmUp(barePath)
    const keep = opened.move()
    return {
      ours: () => round(path, path.stack.pidOf('scorer')),
      baselines: { bare: () => round(barePath, bare.pid) },
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}

/** Kafka's compiler and V8's have seen nothing yet, and take cores until they have. */
async function warmUp(path: Path): Promise<void> {
  for (let load = 0; load < WARM_UP_LOADS; load++) await fullLoad(path)
  await steadily(path, WARM_UP_PAGE_ROWS, WARM_UP_SECONDS)
}

async function round(path: Path, pid: number): Promise<Sample> {
  const fullRowsPerSecond = await fullLoad(path)
  const pageRows = Math.round((fullRowsPerSecond * LOAD_SHARE * PAGE_EVERY_MS) / 1_000)
  await steadily(path, pageRows, SETTLE_SECONDS)
  const before = cpuMicrosOf(pid)
  const { rows, latenciesMs } = await steadily(path, pageRows, ROUND_SECONDS)
  const cpuMicros = cpuMicrosOf(pid) - before
  const sorted = latenciesMs.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!
  const load = { fullRowsPerSecond, rowsPerSecond: rows / ROUND_SECONDS }
  const also = { p50Ms: at(0.5), p90Ms: at(0.9), maxMs: at(1), ...load }
  return { value: at(0.99), cpuMicrosPerRow: cpuMicros / rows, also }
}
