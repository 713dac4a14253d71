import { expect, test } from 'vitest'
import { metricDocuments } from './metric-documents.ts'
import { NAMESPACE, recordedSignals } from './recorded-signals.kit.ts'
import { xxhash64 } from './xxhash64.ts'

test('metrics that share time, unit and attributes share a document', async () => {
  const documents = metricDocuments((await recordedSignals()).metrics, NAMESPACE)
  const values = documents.map(({ unit, attributes, metrics }) => ({ unit, attributes, metrics }))
  expect(values).toContainEqual({
    unit: '{row}',
    attributes: undefined,
    metrics: { 'freshet.scorer.scored': 1_200, 'freshet.scorer.dead': 2 },
  })
  expect(values).toContainEqual({
    unit: '{answer}',
    attributes: { 'freshet.answer.source': 'cache' },
    metrics: { 'freshet.answers': 9 },
  })
  expect(values).toContainEqual({
    unit: 's',
    attributes: { 'freshet.stage': 'infer' },
    metrics: {
      'freshet.batch.duration': { counts: [1, 2, 1, 1], values: [0.0005, 0.00375, 0.0875, 300] },
    },
  })
})

test('names are told apart by XXH64, as the Collector does it', () => {
  const hashes = ['', 'a', 'abc', 'Nobody inspects the spammish repetition'].map((text) => xxhash64(text))
  expect(hashes).toEqual([
    0xef46_db37_51d8_e999n,
    0xd24e_c4f1_a98c_6e5bn,
    0x44bc_2cf5_ad77_0999n,
    0xfbce_a83c_8a37_8bf1n,
  ])
})
