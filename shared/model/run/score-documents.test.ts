import { expect, test } from 'vitest'
import { fixtureBundle } from '../bundle/bundles.kit.ts'
import { scoreDocuments } from './score-documents.ts'

test('each document gets its scores, or the reason why it has none', async () => {
  const bundle = await fixtureBundle('two-outputs.onnx', [{ name: 'hundred', tensor: 'scores', column: 2 }])
  const documents = ['{"a":1,"b":2}', '{"a":1}', '{"a":3e38,"b":3e38}'].map((text) => Buffer.from(text))
  expect(await scoreDocuments(bundle, documents)).toEqual([
    { state: 'scored', outputs: { hundred: 500 } },
    {
      state: 'unscorable',
      code: 'FIELD_MISSING',
      at: '/b',
      message: '/b is missing, and column b has no default',
    },
    {
      state: 'unscorable',
      code: 'SCORE_NOT_FINITE',
      at: null,
      message: 'the model answers Infinity for hundred',
    },
  ])
})
