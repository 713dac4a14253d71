import { FreshetError } from '@freshet/errors/errors.ts'
import { type InferenceSession, Tensor } from 'onnxruntime-node'
import type { Inputs } from '../bundle/spec.ts'
import type { Features } from '../features/features.ts'
import { describeValue } from './describe-value.ts'

/** The model's inputs for one call. */
export type Feed = (features: Features) => InferenceSession.FeedsType

/**
 * One float32 matrix, which the model reads where it lies.
 * @throws MODEL_INVALID when the model wants something else
 */
export function feedMatrix({ inputMetadata }: InferenceSession, { tensor: name, columns }: Inputs): Feed {
  const width = columns.length
  const [input, ...others] = inputMetadata
  if (input === undefined || input.name !== name || others.length > 0) {
    const names = inputMetadata.map((value) => value.name).join(', ')
    throw new FreshetError('MODEL_INVALID', `the model's inputs are ${names}, not ${name} alone`)
  }
  const [rows, wanted] = input.isTensor ? input.shape : []
  const isMatrix = input.isTensor && input.type === 'float32' && input.shape.length === 2
  if (!isMatrix || typeof rows === 'number')
    throw new FreshetError(
      'MODEL_INVALID',
      `the model's input is ${describeValue(input)}, not float32 [any, columns]`,
    )
  if (typeof wanted === 'number' && wanted !== width)
    throw new FreshetError('MODEL_INVALID', `the model wants ${wanted} columns, its spec has ${width}`)
  return ({ rows, numbers }) => ({
    [input.name]: new Tensor('float32', numbers as Float32Array, [rows, width]),
  })
}

/**
 * A tensor for each column, filled from the rows.
 * @throws MODEL_INVALID when model and spec have not the same inputs, or one is no column
 */
export function feedColumns({ inputMetadata }: InferenceSession, { columns }: Inputs): Feed {
  const orphan = inputMetadata.find(({ name }) => columns.every((column) => column.name !== name))
  if (orphan)
    throw new FreshetError('MODEL_INVALID', `model.json has no column for the model's input ${orphan.name}`)
  const numbers = columns.filter(({ type }) => type !== 'text')
  const texts = columns.filter(({ type }) => type === 'text')
  const makers = columns.map(({ name, type }) => {
    const input = inputMetadata.find((value) => value.name === name)
    if (input === undefined) throw new FreshetError('MODEL_INVALID', `the model has no input ${name}`)
    const { make, dims } = tensorOf(input)
    const width = type === 'text' ? texts.length : numbers.length
    const at = (type === 'text' ? texts : numbers).findIndex((column) => column.name === name)
    return { name, make, dims, width, at }
  })
  return (features) =>
    Object.fromEntries(
      makers.map(({ name, make, dims, width, at }) => [
        name,
        make(features, { width, at }, [features.rows, ...dims]),
      ]),
    )
}

/** Where a column's values stand in rows of `width`. */
interface Place {
  readonly width: number
  readonly at: number
}

type TensorMaker = (features: Features, place: Place, dims: number[]) => Tensor

/** By element type. Whether a value fits was looked at when it was written. */
const MAKERS: Readonly<Record<string, TensorMaker>> = {
  float32: ({ numbers, rows }, place, dims) =>
    new Tensor('float32', fill(new Float32Array(rows), numbers, place), dims),
  float64: ({ numbers, rows }, place, dims) =>
    new Tensor('float64', fill(new Float64Array(rows), numbers, place), dims),
  int32: ({ numbers, rows }, place, dims) =>
    new Tensor('int32', fill(new Int32Array(rows), numbers, place), dims),
  int64: ({ numbers, rows }, { width, at }, dims) => {
    const into = new BigInt64Array(rows)
    for (let row = 0; row < rows; row++) into[row] = BigInt(numbers[row * width + at]!)
    return new Tensor('int64', into, dims)
  },
  bool: ({ numbers, rows }, place, dims) =>
    new Tensor('bool', fill(new Uint8Array(rows), numbers, place), dims),
  string: ({ texts, rows }, { width, at }, dims) =>
    new Tensor(
      'string',
      Array.from({ length: rows }, (_, row) => texts[row * width + at]!),
      dims,
    ),
}

function fill<T extends Float32Array | Float64Array | Int32Array | Uint8Array>(
  into: T,
  numbers: Features['numbers'],
  { width, at }: Place,
): T {
  for (let row = 0; row < into.length; row++) into[row] = numbers[row * width + at]!
  return into
}

function tensorOf(input: InferenceSession.ValueMetadata): { make: TensorMaker; dims: number[] } {
  const make = input.isTensor ? MAKERS[input.type] : undefined
  const [rows, one = 1, ...more] = input.isTensor ? input.shape : []
  if (!input.isTensor || make === undefined || typeof rows !== 'string' || one !== 1 || more.length > 0)
    throw new FreshetError(
      'MODEL_INVALID',
      `the model's input is ${describeValue(input)}, not one value a row: [any] or [any, 1]`,
    )
  return { make, dims: input.shape.length === 2 ? [1] : [] }
}
