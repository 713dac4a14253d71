import { Stack } from '../../stack.ts'
import { until } from '../../until.ts'
import { cpuMicrosOf } from '../cost.ts'
import type { Bench, Figure, Sample } from '../figure.ts'
import { flightDocuments } from '../flight-documents.ts'
import { writeFlights } from '../write-flights.ts'
import { postRequest } from './http-exchange.ts'
import { pacedLoad, quantile } from './open-loop.ts'

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

/** `POST /v1/rank`: a pool from Elasticsearch, scored by the model, and the best of it. */
export const gatewayRank: Figure = {
  name: 'gateway-rank',
  unit: 'ms',
  title: `p99 of ranking a pool of ${POOL}, ${REQUESTS_PER_SECOND} a second in an open loop`,
  targets: [{ of: 'value', atMost: 50 }],
  async open(): Promise<Bench> {
    await using opened = new AsyncDisposableStack()
    const stack = opened.use(await Stack.open({ FRESHET_GATEWAY_RANK_TEMPLATES: JSON.stringify(TEMPLATES) }))
    await writeFlights(stack, await flightDocuments(DOCUMENTS))
    await stack.client.indices.refresh({ index: stack.index })
    stack.start('gateway')
    await until('the gateway has its model', async () => (await fetch(`${stack.gatewayUrl}/v1/model`)).ok)
    await rank(stack, WARM_UP_SECONDS)
    const keep = opened.move()
    return {
      ours: () => rank(stack, SECONDS),
      baselines: {},
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}

async function rank(stack: Stack, seconds: number): Promise<Sample> {
  const pid = stack.pidOf('gateway')
  const before = cpuMicrosOf(pid)
  const { answers, good, latenciesMs } = await pacedLoad({
    port: stack.settings.gateway.port,
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
