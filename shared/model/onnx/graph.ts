/** What an ONNX file says of itself: its inputs, its outputs, and the labels of its classes. Weights are passed over. */
import { intsOf, messageAt, notOnnx, readFields, textOf } from './protobuf.ts'

export interface OnnxGraph {
  /** Without those that initializers fill. */
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
  readonly nodes: readonly OnnxNode[]
}

export interface OnnxValue {
  readonly name: string
  readonly type:
    | {
        readonly kind: 'tensor'
        readonly element: ElementType
        /** A size, or the name of one that is free ('' without a name); null when nothing is said. */
        readonly shape: readonly (number | string)[] | null
      }
    /** What a ZipMap answers: for each row a map from class label to probability. */
    | { readonly kind: 'maps' }
    | { readonly kind: 'other' }
}

export interface OnnxNode {
  readonly opType: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Of classifiers and ZipMap, in the order of their columns. */
  readonly classLabels: readonly ClassLabel[] | null
}

export type ClassLabel = string | number

const ELEMENT_TYPES = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
} as const

export type ElementType = (typeof ELEMENT_TYPES)[keyof typeof ELEMENT_TYPES] | 'other'

/** Where the graph stands in a model, and its parts in it. */
export const MODEL_GRAPH = 7
export const GRAPH = { node: 1, initializer: 5, input: 11, output: 12 } as const

/** @throws MODEL_INVALID when the bytes are not an ONNX model */
export function readGraph(onnx: Uint8Array): OnnxGraph {
  const graph = messageAt(onnx, MODEL_GRAPH)
  if (graph === undefined) throw notOnnx()
  const inputs: OnnxValue[] = []
  const outputs: OnnxValue[] = []
  const nodes: OnnxNode[] = []
  const filled = new Set<string>()
  for (const { field, value } of readFields(graph)) {
    if (typeof value === 'number') continue
    if (field === GRAPH.node) nodes.push(readNode(value))
    else if (field === GRAPH.initializer) filled.add(nameOfTensor(value))
    else if (field === GRAPH.input) inputs.push(readValue(value))
    else if (field === GRAPH.output) outputs.push(readValue(value))
  }
  return { inputs: inputs.filter(({ name }) => !filled.has(name)), outputs, nodes }
}

/**
 * The labels of the classes whose probabilities `tensor` holds: of the ZipMap that makes it, or of the nearest classifier
 * that it is computed from. null when the model does not say.
 */
export function classLabelsOf({ nodes }: OnnxGraph, tensor: string): readonly ClassLabel[] | null {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)))
  const near = new Set([tensor])
  // In the order in which they are found, those that are added meanwhile among them.
  for (const name of near) {
    const node = makers.get(name)
    if (node?.classLabels) return node.classLabels
    for (const input of node?.inputs ?? []) near.add(input)
  }
  return null
}

export function readNode(bytes: Uint8Array): OnnxNode {
  const inputs: string[] = []
  const outputs: string[] = []
  let opType = ''
  let classLabels: readonly ClassLabel[] | null = null
  for (const { field, value } of readFields(bytes)) {
    if (typeof value === 'number') continue
    if (field === 1) inputs.push(textOf(value))
    else if (field === 2) outputs.push(textOf(value))
    else if (field === 4) opType = textOf(value)
    else if (field === 5) classLabels = readLabels(value) ?? classLabels
  }
  return { opType, inputs, outputs, classLabels }
}

const LABEL_ATTRIBUTES = ['classlabels_strings', 'classlabels_int64s', 'classlabels_ints']

/** Of an attribute; null when it is another, or empty. */
function readLabels(attribute: Uint8Array): readonly ClassLabel[] | null {
  const name = messageAt(attribute, 1)
  if (name === undefined || !LABEL_ATTRIBUTES.includes(textOf(name))) return null
  const labels: ClassLabel[] = []
  for (const { field, value } of readFields(attribute))
    if (field === 8)
      for (const label of intsOf(value)) labels.push(label) // too many to hand over as arguments
    else if (field === 9 && typeof value !== 'number') labels.push(textOf(value))
  return labels.length === 0 ? null : labels
}

export function readValue(bytes: Uint8Array): OnnxValue {
  const type = messageAt(bytes, 2)
  return { name: textOf(messageAt(bytes, 1) ?? EMPTY), type: type ? readType(type) : { kind: 'other' } }
}

function readType(type: Uint8Array): OnnxValue['type'] {
  const tensor = messageAt(type, 1)
  if (tensor !== undefined) return readTensorType(tensor)
  const inList = messageAt(messageAt(type, 4) ?? EMPTY, 1)
  return inList !== undefined && messageAt(inList, 5) !== undefined ? { kind: 'maps' } : { kind: 'other' }
}

function readTensorType(tensor: Uint8Array): OnnxValue['type'] {
  let element: ElementType = 'other'
  let shape: (number | string)[] | null = null
  for (const { field, value } of readFields(tensor))
    if (field === 1 && typeof value === 'number')
      element = ELEMENT_TYPES[value as keyof typeof ELEMENT_TYPES] ?? 'other'
    else if (field === 2 && typeof value !== 'number') shape = readShape(value)
  return { kind: 'tensor', element, shape }
}

function readShape(bytes: Uint8Array): (number | string)[] {
  const sizes: (number | string)[] = []
  for (const { value: size } of readFields(bytes)) {
    const [said] = typeof size === 'number' ? [] : readFields(size)
    if (said === undefined) sizes.push('')
    else sizes.push(typeof said.value === 'number' ? said.value : textOf(said.value))
  }
  return sizes
}

function nameOfTensor(tensor: Uint8Array): string {
  return textOf(messageAt(tensor, 8) ?? EMPTY)
}

const EMPTY = new Uint8Array()
