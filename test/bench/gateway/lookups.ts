import { redisKey } from '@freshet/adapters/redis/redis-key.ts'
import { Stack } from '../../stack.ts'
import type { Bench, Figure } from '../figure.ts'
import { flightDocuments } from '../flight-documents.ts'
import { getRequest } from './http-exchange.ts'
import { costOfRequests, type Measured, startBareServer, warmUp } from './server-cost.ts'
import { storeScores } from './stored-scores.ts'

const KEYS = 10_000
export const CONNECTIONS = 64
export const ROUND_SECONDS = 4

/**
 * `GET /v1/scores/{key}` from Redis, by `freshet run gateway` as it is.
 * Baseline: bare-server.ts, under the same callers.
 */
export const gatewayLookups: Figure = {
  name: 'gateway-lookups',
  unit: 'requests/CPU-s',
  title: `lookups of ${KEYS} keys over ${CONNECTIONS} connections in a closed loop; baseline: node:http and a GET of Redis`,
  targets: [{ of: 'value', than: 'baseline', atLeast: 0.75 }],
  async open(): Promise<Bench> {
    await using opened = new AsyncDisposableStack()
    const { stack, gateway } = opened.use(await openLookups())
    const { redis, pipeline } = stack.settings
    const bare = opened.use(await startBareServer('redis', redis.url, redisKey(pipeline, '', false)))
    const name = JSON.stringify(stack.bundle.spec.outputs[0]!.name)
    const baseline = { ...gateway, pid: bare.pid, port: bare.port, good: name }
    await warmUp(gateway, baseline)
    const keep = opened.move()
    return {
      ours: () => costOfRequests(gateway),
      baselines: { bare: () => costOfRequests(baseline) },
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}

/** A gateway, Redis full of scores, and callers for them. */
export async function openLookups(): Promise<
  { readonly stack: Stack; readonly keys: readonly string[]; readonly gateway: Measured } & AsyncDisposable
> {
  await using opened = new AsyncDisposableStack()
  const stack = opened.use(await Stack.open())
  const keys = (await flightDocuments(KEYS)).map(({ id }) => `${stack.index}/${id}`)
  opened.use(await storeScores(stack, keys))
  stack.start('gateway')
  await stack.gatewayReady()
  const keep = opened.move()
  return {
    stack,
    keys,
    gateway: {
      pid: stack.pidOf('gateway'),
      port: stack.settings.gateway.port,
      requests: keys.map((key) => getRequest(`/v1/scores/${key}`)),
      connections: CONNECTIONS,
      seconds: ROUND_SECONDS,
      good: '"source":"cache"',
    },
    [Symbol.asyncDispose]: () => keep.disposeAsync(),
  }
}
