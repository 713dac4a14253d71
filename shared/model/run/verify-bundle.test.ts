import { describe, expect, test } from 'vitest'
import type { ModelBundle } from '../bundle/bundle.ts'
import { demoBundle, edited, fixtureBundle } from '../bundle/bundles.kit.ts'
import { InferencePool } from './inference-pool.ts'
import { verifyBundle } from './verify-bundle.ts'

async function verify(bundle: ModelBundle): Promise<void> {
  await using pool = await InferencePool.start(bundle, { threads: 1, runRows: 64 })
  await verifyBundle(bundle, pool, AbortSignal.timeout(10_000))
}

test('the demo’s model scores its golden rows as LightGBM did', async () => {
  await verify(await demoBundle())
})

test('a score may be off by the tolerance: absolutely within ±1, beyond as a share of what its author got', async () => {
  const bundle = await fixtureBundle('two-outputs.onnx', [{ name: 'ten', tensor: 'scores', column: 1 }])
  const tolerance = 0.01
  const spec = { ...bundle.spec, golden: { tolerance } }
  await using pool = await InferencePool.start(bundle, { threads: 1, runRows: 64 })
  /** The model answers 10 · (a + 2 b). */
  const verifyScore = (score: number, author: number) => {
    const golden = [{ document: { a: score / 10, b: 0 }, outputs: { ten: author } }]
    return verifyBundle({ ...bundle, spec, golden }, pool, AbortSignal.timeout(10_000))
  }
  const authors: [score: number, author: (off: number) => number][] = [
    [0.625, (off) => 0.625 + off],
    [-0.625, (off) => -0.625 + off],
    [0, (off) => -off],
    [50, (off) => 50 / (1 - off)],
    [-50, (off) => -50 / (1 + off)],
  ]
  for (const [score, author] of authors) {
    await verifyScore(score, author(0.99 * tolerance))
    const beyond = verifyScore(score, author(1.01 * tolerance))
    await expect(beyond, `${score}`).rejects.toMatchObject({ code: 'MODEL_GOLDEN' })
  }
})

describe('a bundle that would score otherwise than its author is refused', () => {
  test('a changed golden score names its row', async () => {
    const bundle = await demoBundle()
    const score = bundle.golden[41]!.outputs.arrival_delay_minutes!
    const verifying = verify(edited(bundle, 'golden.41.outputs.arrival_delay_minutes', score + 0.5))
    await expect(verifying).rejects.toMatchObject({ code: 'MODEL_GOLDEN' })
    await expect(verifying).rejects.toThrow(/golden row 42: arrival_delay_minutes is .*, its author got/)
  })

  test('a column that reads another field', async () => {
    const bundle = await demoBundle()
    const verifying = verify(edited(bundle, 'spec.inputs.columns.1.path', '/distance'))
    await expect(verifying).rejects.toMatchObject({ code: 'MODEL_GOLDEN' })
  })

  test('a golden document that cannot be scored', async () => {
    const verifying = verify(edited(await demoBundle(), 'golden.3.document.carrier', 7))
    await expect(verifying).rejects.toMatchObject({ code: 'MODEL_GOLDEN' })
    await expect(verifying).rejects.toThrow('golden row 4: /carrier')
  })

  test('a golden score that is not finite', async () => {
    const bundle = await fixtureBundle('logarithm.onnx', [{ name: 'ten', tensor: 'scores' }])
    const verifying = verify(edited(bundle, 'golden.0.document.a', -1))
    await expect(verifying).rejects.toMatchObject({ code: 'MODEL_GOLDEN' })
    await expect(verifying).rejects.toThrow('golden row 1: ten is NaN, its author got 50')
  })

  test('a model that fails on a golden row: another try does not help', async () => {
    const bundle = await fixtureBundle('gather.onnx', [{ name: 'ten', tensor: 'scores' }])
    const verifying = verify(edited(bundle, 'golden.0.document.a', 3))
    await expect(verifying).rejects.toMatchObject({ code: 'MODEL_GOLDEN' })
    await expect(verifying).rejects.toThrow(/the model fails on its golden rows: ONNX Runtime: .*out of/)
  })

  test('a model that gives one answer for all rows', async () => {
    const verifying = verify(await fixtureBundle('one-answer.onnx', [{ name: 'ten', tensor: 'scores' }]))
    await expect(verifying).rejects.toMatchObject({ code: 'MODEL_GOLDEN' })
    await expect(verifying).rejects.toThrow(/the model answers \[1, 2\] for 2 rows/)
  })

  test('a model whose score depends on the other rows of a call', async () => {
    const bundle = await fixtureBundle('rows-together.onnx', [{ name: 'ten', tensor: 'scores' }])
    const golden = [
      { document: { a: 1, b: 0 }, outputs: { ten: -1 } },
      { document: { a: 3, b: 0 }, outputs: { ten: 1 } },
    ]
    const verifying = verify({ ...bundle, golden })
    await expect(verifying).rejects.toMatchObject({ code: 'MODEL_GOLDEN' })
    await expect(verifying).rejects.toThrow('scored alone, golden row 1: ten is 0, its author got -1')
  })
})
