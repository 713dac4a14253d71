import { GRAPH, MODEL_GRAPH, type OnnxGraph, readNode, readValue } from './graph.ts'
import { concat, lengthField, messageAt, notOnnx, readFields, varintField } from './protobuf.ts'

export interface WithoutMaps {
  readonly onnx: Uint8Array
  /** By the name of each output that was a list of maps: the tensor that has its probabilities, [rows, classes]. */
  readonly tensors: ReadonlyMap<string, string>
}

const FLOAT32 = 1

/**
 * Exports of classifiers end in a ZipMap: a map from label to probability for each row, which onnxruntime-node cannot
 * read (and which is slow where it can be). The same model without it: the tensor that ZipMap is given becomes the output.
 * In memory only, so the file stays as it was exported and hashed.
 * @throws MODEL_INVALID when the bytes are not an ONNX model
 */
export function withoutMaps(onnx: Uint8Array, { nodes, outputs }: OnnxGraph): WithoutMaps {
  const names = new Set(outputs.map(({ name }) => name))
  const tensors = new Map<string, string>()
  for (const node of nodes) {
    const [map = ''] = node.outputs
    if (node.opType === 'ZipMap' && names.has(map)) tensors.set(map, node.inputs[0] ?? '')
  }
  if (tensors.size === 0) return { onnx, tensors }
  const graph = messageAt(onnx, MODEL_GRAPH)
  if (graph === undefined) throw notOnnx()
  const rest = [...readFields(onnx)].filter(({ field }) => field !== MODEL_GRAPH)
  const parts = rest.map(({ from, to }) => onnx.subarray(from, to))
  return { onnx: concat([...parts, lengthField(MODEL_GRAPH, ...cutMaps(graph, tensors, names))]), tensors }
}

function cutMaps(
  graph: Uint8Array,
  tensors: ReadonlyMap<string, string>,
  outputs: ReadonlySet<string>,
): Uint8Array[] {
  const parts: Uint8Array[] = []
  for (const { field, value, from, to } of readFields(graph)) {
    if (field === GRAPH.node && typeof value !== 'number' && makesMap(value, tensors)) continue
    const name = field === GRAPH.output && typeof value !== 'number' ? readValue(value).name : undefined
    if (name === undefined || !tensors.has(name)) parts.push(graph.subarray(from, to))
  }
  for (const tensor of new Set(tensors.values()))
    if (!outputs.has(tensor)) parts.push(lengthField(GRAPH.output, ...float32Of(tensor)))
  return parts
}

function makesMap(node: Uint8Array, tensors: ReadonlyMap<string, string>): boolean {
  const { opType, outputs } = readNode(node)
  return opType === 'ZipMap' && tensors.has(outputs[0] ?? '')
}

/** A ValueInfoProto: the name, and a float32 tensor of any shape. */
function float32Of(name: string): Uint8Array[] {
  const tensorType = lengthField(1, varintField(1, FLOAT32))
  return [lengthField(1, new TextEncoder().encode(name)), lengthField(2, tensorType)]
}
