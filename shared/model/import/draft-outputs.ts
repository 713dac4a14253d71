import { isSnapshotColumn } from '@freshet/records/snapshot-columns.ts'
import type { Output } from '../bundle/spec.ts'
import { type ClassLabel, classLabelsOf, type OnnxGraph, type OnnxValue } from '../onnx/graph.ts'
import type { Draft } from './draft-inputs.ts'
import { notImportable } from './not-importable.ts'

const MAX_CLASSES = 32

/**
 * Scores that the model can give: a regression's number, or probabilities by class. Labels are none where there is
 * anything else.
 * @param named what whoever trained the model called its outputs.
 * @throws MODEL_NOT_IMPORTABLE when no output is a number a row
 */
export function draftOutputs(graph: OnnxGraph, named: readonly string[] | null): Draft<readonly Output[]> {
  const drafts = graph.outputs.map((output) => draftOutput(graph, output))
  const chosen = drafts.filter(({ value }) => value.length > 0)
  const labels = graph.outputs.filter(isIntegerColumn)
  if (chosen.length === 0 && labels.length > 0)
    return { value: distinct(labels.map(({ name }) => ({ name, tensor: name, column: 0 }))), toFillIn: [] }
  const scores = chosen.flatMap(({ value }) => value)
  if (scores.length === 0) throw notImportable('the model has no output that is a number for each row')
  // Of a classifier it is the label that has the name, and not the probability.
  const isNamed = scores.length === 1 && named?.length === 1 && scores[0]!.class === undefined
  const own = isNamed ? [{ ...scores[0]!, name: named[0]! }] : scores
  return {
    value: distinct(own),
    toFillIn: [
      ...chosen.flatMap(({ toFillIn }) => toFillIn),
      ...(own.length > 1
        ? [`which output is the score that callers get: the first, now ${own[0]!.name}`]
        : []),
    ],
  }
}

function draftOutput(graph: OnnxGraph, output: OnnxValue): Draft<Output[]> {
  const { name, type } = output
  const labels = classLabelsOf(graph, name)
  if (type.kind === 'maps') {
    if (labels !== null) return draftClasses(output, labels)
    throw notImportable(`output ${name} is a map, and the model does not say of which classes`)
  }
  if (type.kind !== 'tensor' || !['float32', 'float64'].includes(type.element)) return nothing
  const columns = type.shape?.[1] ?? 1
  if (columns === 1) return { value: [{ name, tensor: name, column: 0 }], toFillIn: [] }
  if (labels !== null && (typeof columns === 'string' || columns === labels.length))
    return draftClasses(output, labels)
  if (typeof columns === 'string')
    return {
      value: [{ name, tensor: name, column: 0 }],
      toFillIn: [`which columns of output ${name} are scores: model.onnx does not say how many it has`],
    }
  const many = Array.from({ length: Math.min(columns, MAX_CLASSES) }, (_, column) => column)
  return {
    value: many.map((column) => ({ name: `${name}_${column}`, tensor: name, column })),
    toFillIn: [`what the ${columns} columns of output ${name} are`],
  }
}

const nothing: Draft<Output[]> = { value: [], toFillIn: [] }

/** Of two classes the second is the score, as everywhere: the other is 1 less it. */
function draftClasses({ name: tensor }: OnnxValue, labels: readonly ClassLabel[]): Draft<Output[]> {
  const wanted = labels.length === 2 ? labels.slice(1) : labels.slice(0, MAX_CLASSES)
  return {
    value: wanted.map((label) => ({ name: `probability_${inName(label)}`, tensor, class: label })),
    toFillIn:
      labels.length === 2
        ? [
            `whether ${quoted(labels[1]!)} or ${quoted(labels[0]!)} is the class whose probability is the score`,
          ]
        : wanted.length < labels.length
          ? [`which of the ${labels.length} classes are scores: the first ${wanted.length} are in the draft`]
          : [],
  }
}

function quoted(label: ClassLabel): string {
  return JSON.stringify(label)
}

function inName(label: ClassLabel): string {
  return String(label).replaceAll(/[^\p{L}\p{N}.-]+/gu, '_')
}

function isIntegerColumn({ type }: OnnxValue): boolean {
  if (type.kind !== 'tensor') return false
  return ['int64', 'int32'].includes(type.element) && (type.shape?.length ?? 1) <= 2
}

/** Names that stores can keep: not one twice, no number, none of the snapshot's own. */
function distinct(outputs: readonly Output[]): Output[] {
  const taken = new Set<string>()
  return outputs.map((output) => {
    const isFree = output.name !== '' && !/^\d+$/.test(output.name) && !isSnapshotColumn(output.name)
    const wanted = isFree ? output.name : `score_${output.name}`
    let name = wanted
    for (let again = 2; taken.has(name); again++) name = `${wanted}_${again}`
    taken.add(name)
    return { ...output, name }
  })
}
