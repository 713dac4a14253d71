import { PortPicker } from '@freshet/up/ports.ts'
import { until } from '../until.ts'
import type { Bench, Figure } from './figure.ts'
import { openLookups } from './gateway/lookups.ts'
import { costOfRequests, type Measured, warmUp } from './gateway/server-cost.ts'
import { openBenchTelemetry } from './in-process.ts'
import { openScoring } from './infer.ts'
import type { Target } from './target.ts'

/** A cost of two or three per cent is told from what a busy machine does by many turns only. */
const ROUNDS = 15
/** It takes less than 3 % of the CPU time. */
const TARGETS: readonly Target[] = [{ of: 'value', than: 'baseline', atLeast: 0.97 }]

/** The work of `infer` with telemetry as it is by default. Baseline: with telemetry.enabled false. */
export const telemetryCostOfInfer: Figure = {
  name: 'telemetry-cost-infer',
  unit: 'rows/CPU-s',
  title: 'scoring as in infer, told to Elasticsearch; baseline: the same, told to nobody',
  targets: TARGETS,
  rounds: ROUNDS,
  async open(): Promise<Bench> {
    await using opened = new AsyncDisposableStack()
    const { stack, scoreAll } = opened.use(await openScoring())
    const { settings } = stack
    const off = opened.use(
      openBenchTelemetry({ ...settings, telemetry: { ...settings.telemetry, enabled: false } }),
    )
    const keep = opened.move()
    return {
      ours: () => scoreAll(),
      baselines: { off: () => scoreAll(off) },
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}

/** The lookups of `gateway-lookups`. Baseline: a second gateway on the same scores, with telemetry.enabled false. */
export const telemetryCostOfGateway: Figure = {
  name: 'telemetry-cost-gateway',
  unit: 'requests/CPU-s',
  title: 'lookups as in gateway-lookups, told to Elasticsearch; baseline: the same, told to nobody',
  targets: TARGETS,
  rounds: ROUNDS,
  async open(): Promise<Bench> {
    await using opened = new AsyncDisposableStack()
    const { stack, gateway } = opened.use(await openLookups())
    const port = await new PortPicker().pick([gateway.port])
    stack.envOf['gateway-2'] = { FRESHET_TELEMETRY_ENABLED: 'false', FRESHET_GATEWAY_PORT: `${port}` }
    stack.start('gateway-2')
    await until(
      'the gateway without telemetry is ready',
      async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok,
    )
    const off: Measured = { ...gateway, pid: stack.pidOf('gateway-2'), port }
    await warmUp(gateway, off)
    const keep = opened.move()
    return {
      ours: () => costOfRequests(gateway),
      baselines: { off: () => costOfRequests(off) },
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}
