import { FreshetError } from '@freshet/errors/errors.ts'
import type { ModelBundle } from '../bundle/bundle.ts'
import { readGraph } from '../onnx/graph.ts'
import { compileColumns, type RowWriter } from './columns.ts'

/**
 * What turns documents into the input of a model. A column with a tensor of its own takes the element type of that.
 * @throws MODEL_INVALID when the model has no such tensor, or the column cannot feed it
 */
export function rowWriterOf({ spec: { inputs }, onnx }: Pick<ModelBundle, 'spec' | 'onnx'>): RowWriter {
  if (inputs.tensor !== undefined) return compileColumns(inputs.columns)
  const tensors = readGraph(onnx).inputs
  const elements = inputs.columns.map(({ name }) => {
    const type = tensors.find((tensor) => tensor.name === name)?.type
    if (type?.kind !== 'tensor')
      throw new FreshetError(
        'MODEL_INVALID',
        `the model has no input ${name}, only ${tensors.map((tensor) => tensor.name).join(', ')}`,
      )
    return type.element
  })
  return compileColumns(inputs.columns, elements)
}
