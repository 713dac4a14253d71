import './no-onnx-telemetry.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { ModelSpec } from '../bundle/spec.ts'

/** What a thread needs of a bundle: the model and how to feed it. */
export interface RunnableModel {
  readonly onnx: Uint8Array
  readonly spec: Pick<ModelSpec, 'inputs' | 'outputs'>
}

/** A loaded model on this thread. `score` blocks the thread although it returns a promise: ONNX Runtime does. */
export interface OnnxSession extends AsyncDisposable {
  /**
   * @param matrix float32, row-major, [rows, columns].
   * @param runRows rows in one call of the model.
   * @returns one column of `rows` scores for each output of the spec. @throws MODEL_RUN_FAILED
   */
  score(matrix: Float32Array, rows: number, runRows: number): Promise<Float64Array<ArrayBuffer>[]>
}

/** @throws MODEL_INVALID when it cannot be loaded or its shapes are not those of its spec */
export async function openSession({ onnx, spec }: RunnableModel): Promise<OnnxSession> {
  const session = await InferenceSession.create(onnx, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 3,
  }).catch((cause: unknown) => {
    throw new FreshetError('MODEL_INVALID', `ONNX Runtime does not load the model: ${reasonOf(cause)}`, {
      cause,
    })
  })
  checkShapes(session, spec)
  const tensors = [...new Set(spec.outputs.map(({ tensor }) => tensor))]
  return {
    async score(matrix, rows, runRows) {
      const outputs = spec.outputs.map(() => new Float64Array(rows))
      for (let from = 0; from < rows; from += runRows) {
        const count = Math.min(runRows, rows - from)
        const result = await runOnce(session, spec, matrix, { from, count }, tensors)
        for (const [index, { tensor, column = 0 }] of spec.outputs.entries())
          copyColumn(result[tensor]!, column, outputs[index]!.subarray(from, from + count))
      }
      return outputs
    },
    [Symbol.asyncDispose]: () => session.release(),
  }
}

function checkShapes(session: InferenceSession, { inputs, outputs }: RunnableModel['spec']): void {
  const [input, ...others] = session.inputMetadata
  const names = session.inputNames.join(', ')
  if (input === undefined || input.name !== inputs.tensor || others.length > 0)
    throw new FreshetError('MODEL_INVALID', `the model's inputs are ${names}, not ${inputs.tensor} alone`)
  const [rows, width] = input.isTensor ? input.shape : []
  const isMatrix = input.isTensor && input.type === 'float32' && input.shape.length === 2
  if (!isMatrix || typeof rows === 'number')
    throw new FreshetError(
      'MODEL_INVALID',
      `the model's input is ${describe(input)}, not float32 [any, columns]`,
    )
  if (typeof width === 'number' && width !== inputs.columns.length)
    throw new FreshetError(
      'MODEL_INVALID',
      `the model wants ${width} columns, its spec has ${inputs.columns.length}`,
    )
  for (const { tensor, column = 0 } of outputs) {
    const output = session.outputMetadata.find(({ name }) => name === tensor)
    if (output === undefined)
      throw new FreshetError(
        'MODEL_INVALID',
        `the model has no output ${tensor}, only ${session.outputNames.join(', ')}`,
      )
    const columns = output.isTensor ? (output.shape[1] ?? 1) : 0
    const isNumeric = output.isTensor && ['float32', 'float64', 'int64'].includes(output.type)
    if (!isNumeric || output.shape.length > 2 || (typeof columns === 'number' && columns <= column))
      throw new FreshetError(
        'MODEL_INVALID',
        `the model's output is ${describe(output)}, which has no score in column ${column}`,
      )
  }
}

function describe(value: InferenceSession.ValueMetadata): string {
  return value.isTensor
    ? `${value.name}: ${value.type} [${value.shape.join(', ')}]`
    : `${value.name}: not a tensor`
}

async function runOnce(
  session: InferenceSession,
  { inputs }: RunnableModel['spec'],
  matrix: Float32Array,
  { from, count }: { from: number; count: number },
  fetches: readonly string[],
): Promise<InferenceSession.ReturnType> {
  const width = inputs.columns.length
  const rows = matrix.subarray(from * width, (from + count) * width)
  try {
    return await session.run({ [inputs.tensor!]: new Tensor('float32', rows, [count, width]) }, fetches)
  } catch (cause) {
    throw new FreshetError('MODEL_RUN_FAILED', `ONNX Runtime: ${reasonOf(cause)}`, { cause })
  }
}

/** Takes one column of a [rows] or [rows, k] tensor. */
function copyColumn(tensor: Tensor, column: number, into: Float64Array): void {
  const { data } = tensor
  const columns = data.length / into.length
  if (!Number.isInteger(columns) || column >= columns)
    throw new FreshetError(
      'MODEL_RUN_FAILED',
      `the model answers [${tensor.dims.join(', ')}] for ${into.length} rows`,
    )
  for (let row = 0; row < into.length; row++) into[row] = Number(data[row * columns + column])
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
