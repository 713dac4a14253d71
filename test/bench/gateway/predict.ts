import { DEMO_FOLDER } from '@freshet/model/bundle/bundles.kit.ts'
import { Stack } from '../../stack.ts'
import { until } from '../../until.ts'
import type { Bench, Figure } from '../figure.ts'
import { flightDocuments } from '../flight-documents.ts'
import { postRequest } from './http-exchange.ts'
import { CONNECTIONS, ROUND_SECONDS } from './lookups.ts'
import { costOfRequests, type Measured, startBareServer, warmUp } from './server-cost.ts'

const DOCUMENTS = 1_000

/**
 * `POST /v1/predict` of one document, by `freshet run gateway` as it is.
 * Baseline: bare-server.ts, which knows this one model by heart, under the same callers.
 */
export const gatewayPredict: Figure = {
  name: 'gateway-predict',
  unit: 'requests/CPU-s',
  title: `predictions of one document each over ${CONNECTIONS} connections in a closed loop; baseline: node:http and ONNX Runtime`,
  targets: [],
  async open(): Promise<Bench> {
    await using opened = new AsyncDisposableStack()
    const { gateway } = opened.use(await openPredictions())
    const bare = opened.use(await startBareServer('predict', DEMO_FOLDER))
    const baseline = { ...gateway, pid: bare.pid, port: bare.port }
    await warmUp(gateway, baseline)
    const keep = opened.move()
    return {
      ours: () => costOfRequests(gateway),
      baselines: { bare: () => costOfRequests(baseline) },
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}

/** A gateway with a model, and callers with documents. */
export async function openPredictions(): Promise<
  {
    readonly stack: Stack
    readonly documents: readonly object[]
    readonly gateway: Measured
  } & AsyncDisposable
> {
  await using opened = new AsyncDisposableStack()
  const stack = opened.use(await Stack.open())
  stack.start('gateway')
  await stack.gatewayReady()
  await until('the gateway has its model', async () => (await fetch(`${stack.gatewayUrl}/v1/model`)).ok)
  const documents = (await flightDocuments(DOCUMENTS)).map(({ document }) => document)
  const keep = opened.move()
  return {
    stack,
    documents,
    gateway: {
      pid: stack.pidOf('gateway'),
      port: stack.settings.gateway.port,
      requests: documents.map((document) => postRequest('/v1/predict', { document })),
      connections: CONNECTIONS,
      seconds: ROUND_SECONDS,
      good: '"source":"live"',
    },
    [Symbol.asyncDispose]: () => keep.disposeAsync(),
  }
}
