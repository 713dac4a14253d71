import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpuMicrosOf } from '../cost.ts'
import type { Bench, Figure, Sample } from '../figure.ts'
import { postRequest } from '../gateway/http-exchange.ts'
import { openLookups } from '../gateway/lookups.ts'
import { pacedLoad, quantile } from '../gateway/open-loop.ts'
import { type Measured, warmUp } from '../gateway/server-cost.ts'
import { PythonPeer } from './python-peer.ts'

/** As fast as Feast answers without a queue. */
const REQUESTS_PER_SECOND = 800
const SECONDS = 5

/** Lookups at a rate that both can stand, beside Feast's Python feature server over the same Redis. */
export const lookupsAgainstFeast: Figure = {
  name: 'lookups-against-feast',
  unit: 'requests/CPU-s',
  title: `lookups at ${REQUESTS_PER_SECOND} a second in an open loop; baseline: Feast's Python feature server, Redis`,
  target: 'ratio ≥ 10, and a lower p99',
  async open(): Promise<Bench> {
    await using opened = new AsyncDisposableStack()
    const { stack, keys, gateway } = opened.use(await openLookups())
    const peer = opened.use(await startFeast(stack.settings.redis.url, stack.settings.pipeline, keys))
    const requests = keys.map((key) =>
      postRequest('/get-online-features', {
        features: ['scores:score', 'scores:model'],
        entities: { document: [key] },
      }),
    )
    const baseline = { ...gateway, pid: peer.pid, port: peer.port, requests, good: 'arrival-delay@1' }
    await warmUp(gateway, baseline)
    const keep = opened.move()
    return {
      ours: () => costAtRate(gateway),
      baselines: { Feast: () => costAtRate(baseline) },
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}

async function costAtRate({ pid, ...options }: Measured): Promise<Sample> {
  const before = cpuMicrosOf(pid)
  const load = { ...options, perSecond: REQUESTS_PER_SECOND, seconds: SECONDS }
  const { answers, good, latenciesMs } = await pacedLoad(load)
  const cpuMicros = cpuMicrosOf(pid) - before
  return {
    value: (good / cpuMicros) * 1e6,
    cpuMicrosPerRow: cpuMicros / answers,
    also: {
      p50Ms: quantile(latenciesMs, 0.5),
      p99Ms: quantile(latenciesMs, 0.99),
      goodShare: good / answers,
    },
  }
}

async function startFeast(
  redisUrl: string,
  pipeline: string,
  keys: readonly string[],
): Promise<{ readonly pid: number; readonly port: number } & AsyncDisposable> {
  const { hostname, port, pathname } = new URL(redisUrl)
  const address = `${hostname}:${port || 6379},db=${pathname.slice(1) || 0}`
  const folder = await mkdtemp(join(tmpdir(), 'freshet-feast-keys-'))
  try {
    const file = join(folder, 'keys.txt')
    await writeFile(file, keys.join('\n'))
    return await PythonPeer.start('feast', [address, pipeline.replaceAll('-', '_'), file])
  } finally {
    await rm(folder, { recursive: true })
  }
}
