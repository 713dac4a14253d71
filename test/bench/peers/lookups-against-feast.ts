import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpuMicrosOf } from '../cost.ts'
import type { Bench, Figure, Sample } from '../figure.ts'
import { load } from '../gateway/closed-loop.ts'
import { postRequest } from '../gateway/http-exchange.ts'
import { openLookups } from '../gateway/lookups.ts'
import { pacedLoad, quantile } from '../gateway/open-loop.ts'
import { costOfRequests, type Measured, warmUp } from '../gateway/server-cost.ts'
import { PythonPeer } from './python-peer.ts'

/** Of what Feast answers in a closed loop: then its waits are not those of a queue that only grows. */
const PACED_SHARE = 0.5
const CAPACITY_SECONDS = 4
const PACED_SECONDS = 4
const CLOSED_SECONDS = 3

/** Lookups as many as can be, and at a rate that both can stand, beside Feast's Python feature server over the same Redis. */
export const lookupsAgainstFeast: Figure = {
  name: 'lookups-against-feast',
  unit: 'requests/CPU-s',
  title: `lookups in a closed loop, and their wait at half of what Feast answers; baseline: Feast's Python feature server, Redis`,
  targets: [
    { of: 'value', than: 'baseline', atLeast: 10 },
    { of: 'pacedCpuMicros', than: 'baseline', atMost: 0.1 },
    { of: 'pacedP99Ms', than: 'baseline', atMost: 1 },
  ],
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
    const perSecond = Math.round((await capacityOf(baseline)) * PACED_SHARE)
    const keep = opened.move()
    return {
      ours: () => costAndWait(gateway, perSecond),
      baselines: { Feast: () => costAndWait(baseline, perSecond) },
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}

/** Good answers a second, from callers who ask again as soon as they are answered. */
async function capacityOf(server: Measured): Promise<number> {
  const { good, seconds } = await load({ ...server, seconds: CAPACITY_SECONDS })
  return good / seconds
}

/** What a request costs when there are as many as the server can answer, and how long one waits when there are not. */
async function costAndWait(server: Measured, perSecond: number): Promise<Sample> {
  const cost = await costOfRequests({ ...server, seconds: CLOSED_SECONDS })
  const before = cpuMicrosOf(server.pid)
  const paced = { ...server, perSecond, seconds: PACED_SECONDS }
  const { answers, good, latenciesMs } = await pacedLoad(paced)
  return {
    ...cost,
    also: {
      ...cost.also,
      pacedPerSecond: perSecond,
      pacedP50Ms: quantile(latenciesMs, 0.5),
      pacedP99Ms: quantile(latenciesMs, 0.99),
      pacedCpuMicros: (cpuMicrosOf(server.pid) - before) / answers,
      pacedGoodShare: good / answers,
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
