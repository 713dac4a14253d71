import { DEMO_FOLDER } from '@freshet/model/bundle/bundles.kit.ts'
import type { Bench, Figure } from '../figure.ts'
import { openPredictions } from '../gateway/predict.ts'
import { costOfRequests, warmUp } from '../gateway/server-cost.ts'
import { PythonPeer } from './python-peer.ts'

/** The `gateway-predict` figure beside FastAPI, uvicorn and ONNX Runtime, under the same callers with the same documents. */
export const predictAgainstFastApi: Figure = {
  name: 'predict-against-fastapi',
  unit: 'requests/CPU-s',
  title: 'predictions of one document each; baseline: FastAPI with ONNX Runtime',
  targets: [{ of: 'value', than: 'baseline', atLeast: 4 }],
  async open(): Promise<Bench> {
    await using opened = new AsyncDisposableStack()
    const { gateway } = opened.use(await openPredictions())
    const peer = opened.use(await PythonPeer.start('fastapi', [DEMO_FOLDER]))
    const baseline = { ...gateway, pid: peer.pid, port: peer.port }
    await warmUp(gateway, baseline)
    const keep = opened.move()
    return {
      ours: () => costOfRequests(gateway),
      baselines: { FastAPI: () => costOfRequests(baseline) },
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}
