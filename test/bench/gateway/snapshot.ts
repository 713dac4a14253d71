import { Stack } from '../../stack.ts'
import type { Bench, Figure } from '../figure.ts'
import { putSnapshot } from '../put-snapshot.ts'
import { keyOf } from '../snapshot-rows.ts'
import { emptyStore, openSnapshotParts } from '../snapshot-world.ts'
import { getRequest } from './http-exchange.ts'
import { CONNECTIONS, ROUND_SECONDS } from './lookups.ts'
import { costOfRequests, type Measured, startBareServer, warmUp } from './server-cost.ts'

const KEYS = 10_000
/** Nobody listens there, so every lookup is answered by the snapshot alone. */
const NO_REDIS = 'redis://127.0.0.1:1'

/** Lookups while there is no Redis. Baseline: node:http that answers the same JSON to everybody. */
export const gatewaySnapshot: Figure = {
  name: 'gateway-snapshot',
  unit: 'requests/CPU-s',
  title: `lookups of ${KEYS} keys in the snapshot while Redis is away; baseline: node:http with a constant answer`,
  targets: [{ of: 'value', than: 'baseline', atLeast: 0.9 }],
  async open(): Promise<Bench> {
    await using opened = new AsyncDisposableStack()
    const stack = opened.use(await Stack.open({ FRESHET_REDIS_URL: NO_REDIS }))
    const parts = opened.use(await openSnapshotParts(stack.env))
    opened.defer(() => emptyStore(stack.store))
    await putSnapshot(parts, { keys: KEYS })
    stack.start('gateway')
    await stack.gatewayReady()
    const paths = Array.from({ length: KEYS }, (_, number) => `/v1/scores/${keyOf(number)}`)
    const gateway: Measured = {
      pid: stack.pidOf('gateway'),
      port: stack.settings.gateway.port,
      requests: paths.map(getRequest),
      connections: CONNECTIONS,
      seconds: ROUND_SECONDS,
      good: '"source":"snapshot"',
    }
    const answer = await (await fetch(`${stack.gatewayUrl}${paths[0]}`)).text()
    const bare = opened.use(await startBareServer('constant', answer))
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
