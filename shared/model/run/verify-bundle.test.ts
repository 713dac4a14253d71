import { describe, expect, test } from 'vitest'
import type { ModelBundle } from '../bundle/bundle.ts'
import { demoBundle, edited } from '../bundle/bundles.kit.ts'
import { InferencePool } from './inference-pool.ts'
import { verifyBundle } from './verify-bundle.ts'

async function verify(bundle: ModelBundle): Promise<void> {
  await using pool = await InferencePool.start(bundle, { threads: 1, runRows: 64 })
  await verifyBundle(bundle, pool, AbortSignal.timeout(10_000))
}

test('the demo’s model scores its golden rows as LightGBM did', async () => {
  await verify(await demoBundle())
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
})
