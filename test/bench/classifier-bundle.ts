/**
 * The demo's trees as a classifier, as LightGBM's binary ones are exported: how probable it is that a flight comes late. A
 * model that ONNX Runtime scores, since tables are for sums only.
 */
import { Buffer } from 'node:buffer'
import { type ModelBundle, sha256Of } from '@freshet/model/bundle/bundle.ts'
import { demoBundle } from '@freshet/model/bundle/bundles.kit.ts'
import { GRAPH, MODEL_GRAPH } from '@freshet/model/onnx/graph.ts'
import {
  concat,
  type Field,
  lengthField,
  messageAt,
  readFields,
  textOf,
  varintField,
} from '@freshet/model/onnx/protobuf.ts'
import { scoreDocuments } from '@freshet/model/run/score-documents.ts'

const LABEL = 'label'
const PROBABILITIES = 'probabilities'

export async function classifierBundle(): Promise<ModelBundle> {
  const demo = await demoBundle()
  const onnx = asClassifier(demo.onnx)
  const spec: ModelBundle['spec'] = {
    ...demo.spec,
    name: 'arrival-late',
    sha256: sha256Of(onnx),
    outputs: [{ name: 'late', tensor: PROBABILITIES, column: 1 }],
  }
  const documents = demo.golden.map(({ document }) => Buffer.from(JSON.stringify(document)))
  const scores = await scoreDocuments({ spec, onnx, golden: [] }, documents)
  const golden = demo.golden.map(({ document }, row) => {
    const score = scores[row]!
    if (score.state !== 'scored') throw new Error(`the classifier does not score: ${score.message}`)
    return { document, outputs: score.outputs }
  })
  return { spec, onnx, golden }
}

/** The file with its trees as a TreeEnsembleClassifier, and the two outputs of one. What only names the sum is left out. */
function asClassifier(onnx: Uint8Array): Uint8Array {
  const graph = messageAt(onnx, MODEL_GRAPH)!
  const fields = [...readFields(graph)]
  const trees = fields.find(({ field }) => field === GRAPH.node)!.value as Uint8Array
  const parts = fields
    .filter(({ field }) => field !== GRAPH.output && field !== GRAPH.node)
    .map((part) => bytesOf(graph, part))
  const outputs = [
    lengthField(GRAPH.output, ...tensorNamed(LABEL, INT64)),
    lengthField(GRAPH.output, ...tensorNamed(PROBABILITIES, FLOAT32)),
  ]
  const around = [...readFields(onnx)].filter(({ field }) => field !== MODEL_GRAPH)
  return concat([
    ...around.map((part) => bytesOf(onnx, part)),
    lengthField(MODEL_GRAPH, classifierNode(trees), ...parts, ...outputs),
  ])
}

const NODE = { output: 2, opType: 4, attribute: 5 } as const
const ATTRIBUTE = { name: 1, text: 4, ints: 8, type: 20 } as const
const TYPES = { text: 3, ints: 7 } as const
const [FLOAT32, INT64] = [1, 7]

function classifierNode(node: Uint8Array): Uint8Array {
  const kept = [...readFields(node)].flatMap((part) => {
    if (part.field === NODE.output || part.field === NODE.opType) return []
    return part.field === NODE.attribute
      ? classifierAttribute(part.value as Uint8Array)
      : [bytesOf(node, part)]
  })
  return lengthField(
    GRAPH.node,
    ...kept,
    text(NODE.output, LABEL),
    text(NODE.output, PROBABILITIES),
    text(NODE.opType, 'TreeEnsembleClassifier'),
    attribute(
      'classlabels_int64s',
      TYPES.ints,
      varintField(ATTRIBUTE.ints, 0),
      varintField(ATTRIBUTE.ints, 1),
    ),
    attribute('post_transform', TYPES.text, text(ATTRIBUTE.text, 'LOGISTIC')),
  )
}

/** What is `target_…` of a regressor is `class_…` of a classifier; of the rest, what is of nodes stays. */
function classifierAttribute(bytes: Uint8Array): Uint8Array[] {
  const name = textOf(messageAt(bytes, ATTRIBUTE.name)!)
  const others = [...readFields(bytes)].filter(({ field }) => field !== ATTRIBUTE.name)
  const renamed = name.replace(/^target_/, 'class_')
  if (renamed === name && !name.startsWith('nodes_')) return []
  return [
    lengthField(NODE.attribute, text(ATTRIBUTE.name, renamed), ...others.map((part) => bytesOf(bytes, part))),
  ]
}

function attribute(name: string, type: number, ...value: readonly Uint8Array[]): Uint8Array {
  return lengthField(NODE.attribute, text(ATTRIBUTE.name, name), varintField(ATTRIBUTE.type, type), ...value)
}

/** A ValueInfoProto. */
function tensorNamed(name: string, element: number): Uint8Array[] {
  return [text(1, name), lengthField(2, lengthField(1, varintField(1, element)))]
}

function text(field: number, value: string): Uint8Array {
  return lengthField(field, Buffer.from(value))
}

function bytesOf(bytes: Uint8Array, { from, to }: Field): Uint8Array {
  return bytes.subarray(from, to)
}
