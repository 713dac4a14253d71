import { FreshetError } from '@freshet/errors/errors.ts'
import type { InferenceSession } from 'onnxruntime-node'
import type { Output } from '../bundle/spec.ts'
import { classLabelsOf, type OnnxGraph } from '../onnx/graph.ts'
import { describeValue } from './describe-value.ts'

/** Where the scores of one output stand in what the model answers. */
export interface ScoreColumn {
  readonly tensor: string
  readonly column: number
  /** What stands for NaN and infinity; null: they stay, and make a dead letter. */
  readonly whenNotFinite: number | null
}

interface Model {
  /** As it was exported. */
  readonly graph: OnnxGraph
  /** Of outputs that were maps there: the tensor that the loaded model has instead. */
  readonly mapTensors: ReadonlyMap<string, string>
}

/** @throws MODEL_INVALID when the model has no such output, column or class */
export function planOutputs(
  session: InferenceSession,
  outputs: readonly Output[],
  { graph, mapTensors }: Model,
): ScoreColumn[] {
  return outputs.map((output) => {
    const tensor = mapTensors.get(output.tensor) ?? output.tensor
    const column =
      output.class === undefined ? (output.column ?? 0) : columnOfClass(output, output.class, graph)
    checkOutput(session, { tensor, column, said: output.tensor })
    const { whenNotFinite = 'dead-letter' } = output
    return { tensor, column, whenNotFinite: whenNotFinite === 'dead-letter' ? null : whenNotFinite }
  })
}

const MAX_TOLD_LABELS = 20

function columnOfClass({ tensor }: Output, label: string | number, graph: OnnxGraph): number {
  const labels = classLabelsOf(graph, tensor)
  if (labels === null)
    throw new FreshetError(
      'MODEL_INVALID',
      `the model does not say which class each column of ${tensor} is: name the column instead`,
    )
  const column = labels.indexOf(label)
  if (column >= 0) return column
  const told = labels.slice(0, MAX_TOLD_LABELS).map((known) => JSON.stringify(known))
  const more = labels.length > MAX_TOLD_LABELS ? ', …' : ''
  throw new FreshetError(
    'MODEL_INVALID',
    `${tensor} has the classes ${told.join(', ')}${more}, not ${JSON.stringify(label)}`,
  )
}

const NUMERIC = ['float32', 'float64', 'int32', 'int64', 'bool']

function checkOutput(
  { outputMetadata, outputNames }: InferenceSession,
  { tensor, column, said }: { tensor: string; column: number; said: string },
): void {
  const output = outputMetadata.find(({ name }) => name === tensor)
  if (output === undefined)
    throw new FreshetError('MODEL_INVALID', `the model has no output ${said}, only ${outputNames.join(', ')}`)
  const { length = 0, 1: columns = 1 } = output.isTensor ? output.shape : []
  const isNumeric = output.isTensor && NUMERIC.includes(output.type)
  // Without a shape the model does not say; the golden rows will.
  const isThere = length === 0 || (length <= 2 && (typeof columns !== 'number' || column < columns))
  if (!isNumeric || !isThere)
    throw new FreshetError(
      'MODEL_INVALID',
      `the model's output is ${describeValue(output)}, which has no score in column ${column}`,
    )
}

/** @returns how many scores were not finite and stand as the spec has it. */
export function replaceNotFinite(scores: Float64Array, whenNotFinite: number | null): number {
  if (whenNotFinite === null) return 0
  let replaced = 0
  for (let row = 0; row < scores.length; row++)
    if (!Number.isFinite(scores[row])) {
      scores[row] = whenNotFinite
      replaced++
    }
  return replaced
}
