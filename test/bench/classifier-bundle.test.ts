import { Buffer } from 'node:buffer'
import { demoBundle } from '@freshet/model/bundle/bundles.kit.ts'
import { classLabelsOf, readGraph } from '@freshet/model/onnx/graph.ts'
import { scoreDocuments } from '@freshet/model/run/score-documents.ts'
import { readTreeEnsemble } from '@freshet/model/trees/read-ensemble.ts'
import { expect, test } from 'vitest'
import { classifierBundle } from './classifier-bundle.ts'

test('the classifier has all trees of the demo, is none of those for tables, and its scores are probabilities of their sum', async () => {
  const demo = await demoBundle()
  const { onnx, spec, golden } = await classifierBundle()
  const graph = readGraph(onnx)
  expect(readTreeEnsemble(onnx, graph)).toBeNull()
  expect(readTreeEnsemble(demo.onnx, readGraph(demo.onnx))?.trees).toHaveLength(200)
  expect(classLabelsOf(graph, spec.outputs[0]!.tensor)).toEqual([0, 1])
  const documents = golden.map(({ document }) => Buffer.from(JSON.stringify(document)))
  const sums = await scoreDocuments(demo, documents)
  for (const [row, { outputs }] of golden.entries()) {
    const sum = (sums[row] as { outputs: Record<string, number> }).outputs['arrival_delay_minutes']!
    expect(outputs['late']).toBeCloseTo(1 / (1 + Math.exp(-sum)), 5)
  }
})
