import { DEMO_FOLDER } from '@freshet/model/bundle/bundles.kit.ts'
import { Stack } from '../../stack.ts'
import { until } from '../../until.ts'
import { cpuMicrosOf } from '../cost.ts'
import type { Bench, Figure, Sample } from '../figure.ts'
import { flightDocuments } from '../flight-documents.ts'
import { writeFlights } from '../write-flights.ts'
import { postRequest } from './http-exchange.ts'
import { pacedLoad, quantile } from './open-loop.ts'
import { startBareServer } from './server-cost.ts'

const DOCUMENTS = 20_000
const POOL = 100
const REQUESTS_PER_SECOND = 20
const SECONDS = 10
const WARM_UP_SECONDS = 3
const AIRPORTS = ['EWR', 'JFK', 'LGA']

const TEMPLATES = {
  'from-airport': {
    query: { bool: { filter: [{ term: { 'origin.keyword': { $param: 'origin' } } }] } },
    size: POOL,
    parameters: { origin: { type: 'string', maxLength: 3 } },
  },
}

/**
 * `POST /v1/rank`: a pool from Elasticsearch, scored by the model, and the best of it.
 * Baseline: bare-server.ts, with the same search and the same model, under the same callers.
 */
export const gatewayRank: Figure = {
  name: 'gateway-rank',
  unit: 'ms',
  title: `p99 of ranking a pool of ${POOL}, ${REQUESTS_PER_SECOND} a second in an open loop; baseline: node:http, the search and ONNX Runtime`,
  targets: [{ of: 'value', atMost: 50 }],
  async open(): Promise<Bench> {
    await using opened = new AsyncDisposableStack()
    const stack = opened.use(await Stack.open({ FRESHET_GATEWAY_RANK_TEMPLATES: JSON.stringify(TEMPLATES) }))
    await writeFlights(stack, await flightDocuments(DOCUMENTS))
    await stack.client.indices.refresh({ index: stack.index })
    stack.start('gateway')
    await until('the gateway has its model', async () => (await fetch(`${stack.gatewayUrl}/v1/model`)).ok)
    const { url } = stack.settings.elasticsearch
    const search = `${url}/${stack.index}/_search?size=${POOL}`
    const bare = opened.use(await startBareServer('rank', DEMO_FOLDER, search))
    const gateway = { pid: stack.pidOf('gateway'), port: stack.settings.gateway.port }
    for (const server of [gateway, bare]) await rank(server, WARM_UP_SECONDS)
    const keep = opened.move()
    return {
      ours: () => rank(gateway, SECONDS),
      baselines: { bare: () => rank(bare, SECONDS) },
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}

interface Ranking {
  readonly pid: number
  readonly port: number
}

async function rank({ pid, port }: Ranking, seconds: number): Promise<Sample> {
  const before = cpuMicrosOf(pid)
  const { answers, good, latenciesMs } = await pacedLoad({
    port,
    requests: AIRPORTS.map((origin) =>
      postRequest('/v1/rank', { template: 'from-airport', parameters: { origin } }),
    ),
    perSecond: REQUESTS_PER_SECOND,
    seconds,
    connections: 16,
    good: '"degraded":false',
  })
  return {
    value: quantile(latenciesMs, 0.99),
    cpuMicrosPerRow: (cpuMicrosOf(pid) - before) / answers,
    also: { p50Ms: quantile(latenciesMs, 0.5), goodShare: good / answers },
  }
}
