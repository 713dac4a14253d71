import { setTimeout as sleep } from 'node:timers/promises'
import { promoteAgain } from '@freshet/model/bundle/pointer-store.ts'
import { freshet } from '../freshet.ts'
import type { Stack } from '../stack.ts'
import { until } from '../until.ts'
import { cpuMicrosOf } from './cost.ts'
import type { Bench, Figure, Sample } from './figure.ts'
import { fullLoad, openPath, type Path, steadily } from './timed-changes.ts'

/** Of 100,000 changes each: what is scored again. So many that it takes longer than a round. */
const FILLS = 10
const PAGE_ROWS = 20
const ROUND_SECONDS = 8
const SETTLE_MS = 300_000

/**
 * What fresh changes notice while everything is scored again: the time from change to Redis at a load that leaves room,
 * beside the same without a promotion.
 */
export const rescoreLatency: Figure = {
  name: 'rescore-latency',
  unit: 'ms (p99)',
  title: 'change to Redis while everything is scored again; baseline: without a promotion',
  targets: [{ of: 'value', atMost: 50 }],
  async open(): Promise<Bench> {
    await using opened = new AsyncDisposableStack()
    const path = await openPath(opened, { FRESHET_MODEL_POINTER_INTERVAL_MS: '500' })
    path.stack.start('scorer')
    for (let fill = 0; fill < FILLS; fill++) await fullLoad(path)
    const keep = opened.move()
    return {
      ours: () => whileScoringAgain(path),
      baselines: { alone: () => alone(path) },
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}

async function alone(path: Path): Promise<Sample> {
  await until('nothing is left', async () => (await figures(path.stack)).left === 0, { giveUpMs: SETTLE_MS })
  return await freshLatency(path)
}

/** @throws when it was over before the round was: the rest of it had been measured of an idle scorer */
async function whileScoringAgain(path: Path): Promise<Sample> {
  const { stack } = path
  const { generation } = await promoteAgain(stack.store, stack.bundle.spec, Date.now())
  await until('it is being scored again', async () => {
    const now = await figures(stack)
    return now.generation === generation && now.left > 0 && now.left < now.total
  })
  const before = await figures(stack)
  const sample = await freshLatency(path)
  await sleep(HEARTBEAT_MS)
  const after = await figures(stack)
  if (after.generation !== generation || after.left === 0)
    throw new Error('everything had been scored again before the round was over')
  const rescoredPerSecond = ((after.rows - before.rows) / (after.atMs - before.atMs)) * 1_000
  return { ...sample, also: { ...sample.also, rescoredPerSecond, leftAfter: after.left } }
}

async function freshLatency(path: Path): Promise<Sample> {
  const pid = path.stack.pidOf('scorer')
  const before = cpuMicrosOf(pid)
  const { rows, latenciesMs } = await steadily(path, PAGE_ROWS, ROUND_SECONDS)
  const sorted = latenciesMs.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!
  const [also, most] = [{ p50Ms: at(0.5) }, { maxMs: at(1) }]
  return { value: at(0.99), cpuMicrosPerRow: (cpuMicrosOf(pid) - before) / rows, also, most }
}

const HEARTBEAT_MS = 3_000

/** What the scorer last said. */
async function figures({ env }: Stack) {
  const { stdout } = await freshet(['status', '--json'], env)
  const { instances } = JSON.parse(stdout) as {
    instances: { service: string; atMs: number; metrics: Record<string, number> }[]
  }
  const { atMs, metrics } = instances.find(({ service }) => service === 'scorer')!
  const at = (name: string) => metrics[`freshet.rescore.${name}`]!
  return { atMs, generation: at('generation'), rows: at('rows'), left: at('left'), total: at('total') }
}
