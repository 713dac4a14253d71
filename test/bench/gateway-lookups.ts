import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { redisKey } from '@freshet/adapters/redis/redis-key.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import { encodeStoredScore } from '@freshet/records/stored-score.ts'
import { Redis } from 'ioredis'
import { Stack } from '../stack.ts'
import { cpuMicrosOf } from './cost.ts'
import type { Bench, Figure, Sample } from './figure.ts'
import { flightDocuments } from './flight-documents.ts'
import { type LoadOptions, load } from './load.ts'

const KEYS = 10_000
const CONNECTIONS = 64
const WARM_UP_SECONDS = 2
const ROUND_SECONDS = 4
const BARE_SERVER = fileURLToPath(new URL('./bare-lookup-server.ts', import.meta.url))

/**
 * `GET /v1/scores/{key}` from Redis, by `freshet run gateway` as it is.
 * Baseline: bare-lookup-server.ts, under the same callers.
 */
export const gatewayLookups: Figure = {
  name: 'gateway-lookups',
  unit: 'requests/s',
  title: `lookups of ${KEYS} keys over ${CONNECTIONS} connections in a closed loop; baseline: node:http and a GET of Redis`,
  target: 'ratio ≥ 0.5',
  async open(): Promise<Bench> {
    await using opened = new AsyncDisposableStack()
    const stack = opened.use(await Stack.open())
    const keys = (await flightDocuments(KEYS)).map(({ id }) => `${stack.index}/${id}`)
    opened.use(await storeScores(stack, keys))
    stack.start('gateway')
    await stack.gatewayReady()
    const bare = opened.use(await startBareServer(stack))
    const paths = keys.map((key) => `/v1/scores/${key}`)
    const callers = { paths, connections: CONNECTIONS, seconds: ROUND_SECONDS }
    const ours = { ...callers, port: stack.settings.gateway.port, good: '"source":"cache"' }
    const baseline = { ...callers, port: bare.port, good: JSON.stringify(stack.bundle.spec.outputs[0]!.name) }
    for (const warm of [ours, baseline]) await load({ ...warm, seconds: WARM_UP_SECONDS })
    const keep = opened.move()
    return {
      ours: () => sample(stack.pidOf('gateway'), ours),
      baselines: { bare: () => sample(bare.pid, baseline) },
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}

/** Only what is answered as asked counts: an answer from further down the ladder is cheaper. */
async function sample(pid: number, options: LoadOptions): Promise<Sample> {
  const before = cpuMicrosOf(pid)
  const { answers, good, seconds } = await load(options)
  const cpuMicros = cpuMicrosOf(pid) - before
  return { value: good / seconds, cpuMicrosPerRow: cpuMicros / answers, also: { goodShare: good / answers } }
}

/** As the cache worker stores them. Disposing takes them away. */
async function storeScores({ settings, bundle }: Stack, keys: readonly string[]): Promise<AsyncDisposable> {
  const redis = new Redis(settings.redis.url)
  const { outputs } = bundle.spec
  const nowMs = Date.now()
  const stored = keys.map((key, seqNo): [string, string] => [
    redisKey(settings.pipeline, key, false),
    encodeStoredScore({
      key,
      rank: { revision: { documentVersion: 0, epoch: nowMs, primaryTerm: 1, seqNo }, modelGeneration: 1 },
      state: 'scored',
      outputs: Object.fromEntries(outputs.map((output) => [output.name, 12.345678901234567 + seqNo])),
      asOfMs: nowMs,
      scoredAtMs: nowMs,
      model: modelLabel(bundle.spec),
    }),
  ])
  await redis.mset(stored.flat())
  return {
    async [Symbol.asyncDispose]() {
      await redis.unlink(stored.map(([key]) => key))
      redis.disconnect()
    },
  }
}

async function startBareServer({
  settings,
}: Stack): Promise<{ readonly pid: number; readonly port: number } & AsyncDisposable> {
  const child: ChildProcess = fork(BARE_SERVER, [settings.redis.url, redisKey(settings.pipeline, '', false)])
  const [port] = (await once(child, 'message')) as [number]
  return {
    pid: child.pid!,
    port,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit')
      child.kill()
      await ended
    },
  }
}
