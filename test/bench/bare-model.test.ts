import { DEMO_FOLDER, demoBundle } from '@freshet/model/bundle/bundles.kit.ts'
import { expect, test } from 'vitest'
import { type BareDocument, openBareModel } from './bare-model.ts'

test('the baseline scores documents as the model’s golden rows say, so it does the same work', async () => {
  const { golden, spec } = await demoBundle()
  const scoresOf = await openBareModel(DEMO_FOLDER)
  const scores = await scoresOf(golden.map(({ document }) => document as unknown as BareDocument))
  expect(golden.length).toBeGreaterThan(0)
  for (const [row, { outputs }] of golden.entries())
    expect(Math.abs(scores[row]! - (outputs[spec.outputs[0]!.name] as number))).toBeLessThan(
      spec.golden?.tolerance ?? 1e-4,
    )
})
