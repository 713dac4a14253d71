import { type Attribute, readAttributes } from '../onnx/attributes.ts'
import { GRAPH, MODEL_GRAPH, type OnnxGraph } from '../onnx/graph.ts'
import { messageAt, readFields } from '../onnx/protobuf.ts'
import { floatBelow } from './float-below.ts'
import type { TreeEnsemble, TreeNode } from './tree-ensemble.ts'

/** So that reading, which calls itself, ends: no tree that is exported is deeper. */
const MAX_DEPTH = 64

/**
 * The trees of a model that is nothing but one TreeEnsembleRegressor over its input, whose leaves are added up.
 * null for any other: classes, several targets, averages, a transform, something computed before or after, tests other
 * than < and ≤.
 * @throws MODEL_INVALID when the bytes are not an ONNX model
 */
export function readTreeEnsemble(onnx: Uint8Array, { inputs, nodes }: OnnxGraph): TreeEnsemble | null {
  const [regressor, ...rest] = nodes
  const [input, ...others] = inputs
  if (regressor?.opType !== 'TreeEnsembleRegressor' || others.length > 0) return null
  if (regressor.inputs.length !== 1 || regressor.inputs[0] !== input?.name) return null
  const outputs = new Set(regressor.outputs)
  for (const {
    opType,
    inputs: [from = ''],
    outputs: [to = ''],
  } of rest) {
    if (opType !== 'Identity' || !outputs.has(from)) return null
    outputs.add(to)
  }
  const sum = readSum(readAttributes(firstNode(onnx)))
  return sum === null ? null : { outputs, ...sum }
}

function firstNode(onnx: Uint8Array): Uint8Array {
  for (const { field, value } of readFields(messageAt(onnx, MODEL_GRAPH) ?? new Uint8Array()))
    if (field === GRAPH.node && typeof value !== 'number') return value
  return new Uint8Array()
}

/** Attributes that only say what a plain sum is, with what they say then. Those of NODES come beside them. */
const PLAIN: Readonly<Record<string, (attribute: Attribute) => boolean>> = {
  n_targets: (attribute) => attribute.kind === 'ints' && attribute.ints[0] === 1,
  post_transform: (attribute) => attribute.kind === 'text' && attribute.text === 'NONE',
  aggregate_function: (attribute) => attribute.kind === 'text' && attribute.text === 'SUM',
  nodes_hitrates: () => true,
}

function readSum(attributes: ReadonlyMap<string, Attribute>): Pick<TreeEnsemble, 'trees' | 'base'> | null {
  const nodes = nodesOf(attributes)
  for (const [name, attribute] of attributes)
    if (!Object.hasOwn(nodes, name) && !isPlain(name, attribute)) return null
  const [base = 0, ...more] = nodes.base_values
  const rows = nodes.nodes_treeids.length
  const isWhole = Object.entries(nodes).every(
    ([name, { length }]) =>
      !name.startsWith('nodes_') || length === rows || (name === MISSING && length === 0),
  )
  if (more.length > 0 || !isWhole || rows === 0 || !attributes.has('n_targets')) return null
  const trees = readTrees(nodes)
  return trees === null ? null : { trees, base }
}

function isPlain(name: string, attribute: Attribute): boolean {
  return Object.hasOwn(PLAIN, name) && PLAIN[name]!(attribute)
}

const MISSING = 'nodes_missing_value_tracks_true'

/** A tree's node is a row of the arrays `nodes_*`; a leaf's value one of `target_*`. */
interface Nodes {
  readonly nodes_treeids: readonly number[]
  readonly nodes_nodeids: readonly number[]
  readonly nodes_featureids: readonly number[]
  readonly nodes_modes: readonly string[]
  readonly nodes_values: readonly number[]
  readonly nodes_truenodeids: readonly number[]
  readonly nodes_falsenodeids: readonly number[]
  readonly nodes_missing_value_tracks_true: readonly number[]
  readonly target_treeids: readonly number[]
  readonly target_nodeids: readonly number[]
  readonly target_ids: readonly number[]
  readonly target_weights: readonly number[]
  readonly base_values: readonly number[]
}

function nodesOf(attributes: ReadonlyMap<string, Attribute>): Nodes {
  const ints = (name: string) => {
    const attribute = attributes.get(name)
    return attribute?.kind === 'ints' ? attribute.ints : []
  }
  const floats = (name: string) => {
    const attribute = attributes.get(name)
    return attribute?.kind === 'floats' ? attribute.floats : []
  }
  const modes = attributes.get('nodes_modes')
  return {
    nodes_treeids: ints('nodes_treeids'),
    nodes_nodeids: ints('nodes_nodeids'),
    nodes_featureids: ints('nodes_featureids'),
    nodes_modes: modes?.kind === 'texts' ? modes.texts : [],
    nodes_values: floats('nodes_values'),
    nodes_truenodeids: ints('nodes_truenodeids'),
    nodes_falsenodeids: ints('nodes_falsenodeids'),
    nodes_missing_value_tracks_true: ints(MISSING),
    target_treeids: ints('target_treeids'),
    target_nodeids: ints('target_nodeids'),
    target_ids: ints('target_ids'),
    target_weights: floats('target_weights'),
    base_values: floats('base_values'),
  }
}

/** A tree begins where the id of the tree changes, with its root. */
function readTrees(nodes: Nodes): TreeNode[] | null {
  const rowOf = rowsById(nodes.nodes_treeids, nodes.nodes_nodeids)
  const weightOf = rowsById(nodes.target_treeids, nodes.target_nodeids)
  if (rowOf === null || weightOf === null || weightOf.size !== nodes.target_weights.length) return null
  if (nodes.target_ids.some((target) => target !== 0)) return null
  let unread = nodes.nodes_treeids.length // each once, or it is no tree
  const read = (row: number, depth: number): TreeNode | null => {
    if (unread-- <= 0 || depth > MAX_DEPTH) return null
    const tree = nodes.nodes_treeids[row]!
    const mode = nodes.nodes_modes[row]!
    if (mode === 'LEAF') {
      const value = nodes.target_weights[weightOf.get(`${tree}:${nodes.nodes_nodeids[row]!}`) ?? -1]
      return value === undefined || !Number.isFinite(value) ? null : { kind: 'leaf', value }
    }
    const said = nodes.nodes_values[row]!
    const threshold = mode === 'BRANCH_LEQ' ? said : mode === 'BRANCH_LT' ? floatBelow(said) : Number.NaN
    const [trueRow, falseRow] = [nodes.nodes_truenodeids, nodes.nodes_falsenodeids].map((ids) =>
      rowOf.get(`${tree}:${ids[row]!}`),
    )
    if (Number.isNaN(threshold) || trueRow === undefined || falseRow === undefined) return null
    const whenTrue = read(trueRow, depth + 1)
    const whenFalse = whenTrue && read(falseRow, depth + 1)
    if (whenTrue === null || whenFalse === null) return null
    const missingGoesTrue = nodes.nodes_missing_value_tracks_true[row] === 1
    return {
      kind: 'split',
      column: nodes.nodes_featureids[row]!,
      threshold,
      missingGoesTrue,
      whenTrue,
      whenFalse,
    }
  }
  const roots = nodes.nodes_treeids.flatMap((tree, row, ids) => (tree === ids[row - 1] ? [] : [row]))
  const trees = roots.map((root) => read(root, 0))
  return trees.includes(null) ? null : (trees as TreeNode[])
}

/** null when one is there twice. */
function rowsById(trees: readonly number[], nodes: readonly number[]): Map<string, number> | null {
  const rows = new Map(trees.map((tree, row) => [`${tree}:${nodes[row]!}`, row]))
  return rows.size === trees.length ? rows : null
}
