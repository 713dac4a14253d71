import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { demoBundle } from '../bundle/bundles.kit.ts'
import { GRAPH, MODEL_GRAPH, readGraph } from '../onnx/graph.ts'
import { concat, lengthField, varintField } from '../onnx/protobuf.ts'
import { readTreeEnsemble } from './read-ensemble.ts'
import { leavesOf } from './tree-ensemble.ts'
import { walkTrees } from './walk-trees.kit.ts'

async function read(path: string) {
  const onnx = await readFile(new URL(path, import.meta.url))
  return readTreeEnsemble(onnx, readGraph(onnx))
}

const text = (field: number, value: string) => lengthField(field, Buffer.from(value))
const floats = (...values: number[]) => lengthField(7, new Uint8Array(Float32Array.from(values).buffer))
const ints = (...values: number[]) => concat(values.map((value) => varintField(8, value)))
const texts = (...values: string[]) => concat(values.map((value) => text(9, value)))

function attribute(name: string, type: number, value: Uint8Array): Uint8Array {
  return lengthField(5, text(1, name), varintField(20, type), value)
}

/** x[0] ≤ 1.5 ? 10 : x[1] < 2 ? 20 : 30, and 5 of another tree. */
const SMALL: Readonly<Record<string, Uint8Array>> = {
  n_targets: attribute('n_targets', 2, varintField(3, 1)),
  post_transform: attribute('post_transform', 3, text(4, 'NONE')),
  nodes_treeids: attribute('nodes_treeids', 7, ints(0, 0, 0, 0, 0, 1)),
  nodes_nodeids: attribute('nodes_nodeids', 7, ints(0, 1, 2, 3, 4, 0)),
  nodes_featureids: attribute('nodes_featureids', 7, ints(0, 0, 1, 0, 0, 0)),
  nodes_modes: attribute('nodes_modes', 8, texts('BRANCH_LEQ', 'LEAF', 'BRANCH_LT', 'LEAF', 'LEAF', 'LEAF')),
  nodes_values: attribute('nodes_values', 6, floats(1.5, 0, 2, 0, 0, 0)),
  nodes_truenodeids: attribute('nodes_truenodeids', 7, ints(1, 0, 3, 0, 0, 0)),
  nodes_falsenodeids: attribute('nodes_falsenodeids', 7, ints(2, 0, 4, 0, 0, 0)),
  target_treeids: attribute('target_treeids', 7, ints(0, 0, 0, 1)),
  target_nodeids: attribute('target_nodeids', 7, ints(1, 3, 4, 0)),
  target_ids: attribute('target_ids', 7, ints(0, 0, 0, 0)),
  target_weights: attribute('target_weights', 6, floats(10, 20, 30, 5)),
}

function small(changes: Readonly<Record<string, Uint8Array>> = {}, opType = 'TreeEnsembleRegressor') {
  const attributes = Object.values({ ...SMALL, ...changes })
  const node = lengthField(GRAPH.node, text(1, 'x'), text(2, 'y'), text(4, opType), ...attributes)
  const onnx = lengthField(MODEL_GRAPH, node, lengthField(GRAPH.input, text(1, 'x')))
  return readTreeEnsemble(onnx, readGraph(onnx))
}

describe('trees are read', () => {
  test('as they stand: what is tested, how, and what the leaves are', () => {
    const ensemble = small()!
    expect(ensemble.trees.map(leavesOf)).toEqual([3, 1])
    const rows = [
      [1.5, 9],
      [1.6, 1.9],
      [1.6, 2],
      [Number.NaN, Number.NaN],
    ]
    expect(rows.map((row) => walkTrees(ensemble, row))).toEqual([15, 25, 35, 35])
  })

  test('with where missing values go, and what is added at the end', () => {
    const ensemble = small({
      base_values: attribute('base_values', 6, floats(0.5)),
      nodes_missing_value_tracks_true: attribute(
        'nodes_missing_value_tracks_true',
        7,
        ints(1, 0, 0, 0, 0, 0),
      ),
    })!
    expect(walkTrees(ensemble, [Number.NaN, 0])).toBe(15.5)
  })

  test.each([
    '../../../infra/demo/model/model.onnx',
    '../import/fixtures/lightgbm-regression.onnx',
    '../import/fixtures/xgboost-regression.onnx',
  ])('out of %s', async (path) => {
    expect((await read(path))?.trees.length).toBeGreaterThan(0)
  })

  test('with the names that the sum goes by', async () => {
    expect([...(await read('../../../infra/demo/model/model.onnx'))!.outputs]).toContain('variable')
    expect((await demoBundle()).spec.outputs[0]!.tensor).toBe('variable')
  })
})

describe('no trees are read', () => {
  test.each([
    '../import/fixtures/lightgbm-binary.onnx',
    '../import/fixtures/xgboost-classes.onnx',
    '../import/fixtures/sklearn-regression.onnx',
    '../import/fixtures/sklearn-classes.onnx',
    '../import/fixtures/sklearn-pipeline.onnx',
    '../fixtures/two-outputs.onnx',
    '../fixtures/named-tensors.onnx',
  ])('where the model computes something else: %s', async (path) => {
    expect(await read(path)).toBeNull()
  })

  test.each<[string, Record<string, Uint8Array>]>([
    ['a transform', { post_transform: attribute('post_transform', 3, text(4, 'LOGISTIC')) }],
    ['an average', { aggregate_function: attribute('aggregate_function', 3, text(4, 'AVERAGE')) }],
    ['two targets', { n_targets: attribute('n_targets', 2, varintField(3, 2)) }],
    ['a leaf of another target', { target_ids: attribute('target_ids', 7, ints(0, 1, 0, 0)) }],
    ['an attribute that nobody knows', { else: attribute('else', 2, varintField(3, 1)) }],
    ['thresholds of float64', { nodes_values: attribute('nodes_values_as_tensor', 4, text(5, '')) }],
    [
      'another test',
      { nodes_modes: attribute('nodes_modes', 8, texts('BRANCH_EQ', ...Array(5).fill('LEAF'))) },
    ],
    [
      'a threshold that is no number',
      { nodes_values: attribute('nodes_values', 6, floats(Number.NaN, 0, 2, 0, 0, 0)) },
    ],
    [
      'a leaf that is no number',
      { target_weights: attribute('target_weights', 6, floats(10, Number.NaN, 30, 5)) },
    ],
    ['a leaf without a value', { target_nodeids: attribute('target_nodeids', 7, ints(1, 3, 9, 0)) }],
    ['a node that is there twice', { nodes_nodeids: attribute('nodes_nodeids', 7, ints(0, 1, 2, 3, 3, 0)) }],
    [
      'a way that leads back',
      { nodes_truenodeids: attribute('nodes_truenodeids', 7, ints(0, 0, 3, 0, 0, 0)) },
    ],
    [
      'a way that leads nowhere',
      { nodes_falsenodeids: attribute('nodes_falsenodeids', 7, ints(9, 0, 4, 0, 0, 0)) },
    ],
    ['fewer thresholds than nodes', { nodes_values: attribute('nodes_values', 6, floats(1.5)) }],
  ])('with %s', (_, changes) => {
    expect(small(changes)).toBeNull()
  })

  test('where ways meet again and again: that would be read a million million times', () => {
    const nodes = 60
    const next = Array.from({ length: nodes }, (_, node) => Math.min(node + 1, nodes - 1))
    const modes = next.map((_, node) => (node === nodes - 1 ? 'LEAF' : 'BRANCH_LEQ'))
    const chain = small({
      nodes_treeids: attribute('nodes_treeids', 7, ints(...next.map(() => 0))),
      nodes_nodeids: attribute('nodes_nodeids', 7, ints(...next.keys())),
      nodes_featureids: attribute('nodes_featureids', 7, ints(...next.map(() => 0))),
      nodes_modes: attribute('nodes_modes', 8, texts(...modes)),
      nodes_values: attribute('nodes_values', 6, floats(...next)),
      nodes_truenodeids: attribute('nodes_truenodeids', 7, ints(...next)),
      nodes_falsenodeids: attribute('nodes_falsenodeids', 7, ints(...next)),
      target_treeids: attribute('target_treeids', 7, ints(0)),
      target_nodeids: attribute('target_nodeids', 7, ints(nodes - 1)),
      target_ids: attribute('target_ids', 7, ints(0)),
      target_weights: attribute('target_weights', 6, floats(1)),
    })
    expect(chain).toBeNull()
  })

  test('out of another operator', () => {
    expect(small({}, 'TreeEnsembleClassifier')).toBeNull()
  })
})
