import { expect, test } from 'vitest'
import { fixtureBundle, twoOutputs } from '../bundle/bundles.kit.ts'
import { InferencePool } from './inference-pool.ts'
import { startModel } from './loaded-model.ts'

const { signal } = new AbortController()

test('a model that ONNX Runtime runs is calibrated when it is started, unless rows in one call are told', async () => {
  // Next to nothing a row beside what a call costs: a guess for trees is far from what is found.
  const bundle = await fixtureBundle('two-outputs.onnx', twoOutputs)
  await using guessing = await InferencePool.start(bundle, { threads: 1, runRows: 'auto' })
  await using calibrated = (await startModel(bundle, { threads: 1, runRows: 'auto' }, signal)).pool
  expect(calibrated.engine).toBe('onnxruntime')
  expect(calibrated.runRows).toBeGreaterThan(guessing.runRows)
  await using told = (await startModel(bundle, { threads: 1, runRows: 7 }, signal)).pool
  expect(told.runRows).toBe(7)
})
