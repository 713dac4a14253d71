import type { Column, Inputs } from '../bundle/spec.ts'
import type { ElementType, OnnxGraph, OnnxValue } from '../onnx/graph.ts'
import { notImportable } from './not-importable.ts'

/** A column as whoever trained the model called it. */
export interface NamedColumn {
  readonly name: string
  /** In MLflow's words, e.g. `double`, `string`, `datetime`. */
  readonly type?: string | undefined
  /** False where the training data had gaps. */
  readonly required?: boolean | undefined
}

export interface Draft<T> {
  readonly value: T
  /** What the files do not say and a person has to. */
  readonly toFillIn: readonly string[]
}

/**
 * One matrix, or a tensor a column: whichever the model has.
 * @param named its columns in their order, where anyone says; else they are numbered.
 * @throws MODEL_NOT_IMPORTABLE when rows cannot be fed to it
 */
export function draftInputs({ inputs }: OnnxGraph, named: readonly NamedColumn[] | null): Draft<Inputs> {
  const [first, ...others] = inputs
  if (first === undefined) throw notImportable('the model has no input')
  return others.length === 0 && isMatrix(first) ? draftMatrix(first, named) : draftTensors(inputs, named)
}

/** A single number a row is a matrix of one column too. */
function isMatrix({ type }: OnnxValue): boolean {
  return type.kind === 'tensor' && type.shape?.length === 2 && type.element === 'float32'
}

function draftMatrix(input: OnnxValue, named: readonly NamedColumn[] | null): Draft<Inputs> {
  const width = input.type.kind === 'tensor' ? input.type.shape?.[1] : undefined
  const columns = named ?? numbered(input, width)
  if (typeof width === 'number' && columns.length !== width)
    throw notImportable(`the model's matrix has ${width} columns, and ${columns.length} are named`)
  const texts = columns.filter(({ type }) => type === 'string' || type === 'datetime')
  return {
    value: { tensor: input.name, columns: columns.map(({ name }) => draftColumn(name, 'number')) },
    toFillIn: [
      ...(named === null
        ? [
            `the columns' names and paths: model.onnx says only that they are ${columns.length} numbers (--columns)`,
          ]
        : []),
      ...texts.map(
        ({ name, type }) =>
          `how column ${name} becomes a number, since it was trained as ${type}: type category or time`,
      ),
      ...gaps(columns),
    ],
  }
}

function numbered(input: OnnxValue, width: number | string | undefined): NamedColumn[] {
  if (typeof width !== 'number')
    throw notImportable(`input ${input.name} does not say how many columns it has: name them with --columns`)
  return Array.from({ length: width }, (_, at) => ({ name: `column_${at}` }))
}

function draftTensors(inputs: readonly OnnxValue[], named: readonly NamedColumn[] | null): Draft<Inputs> {
  const columns = inputs.map((input) => draftColumn(input.name, columnType(input)))
  const told = (named ?? []).filter(({ name }) => inputs.some((input) => input.name === name))
  return { value: { columns }, toFillIn: gaps(told) }
}

const COLUMN_TYPES: Readonly<Partial<Record<ElementType, 'number' | 'boolean' | 'text'>>> = {
  float32: 'number',
  float64: 'number',
  int32: 'number',
  int64: 'number',
  bool: 'boolean',
  string: 'text',
}

function columnType({ name, type }: OnnxValue): 'number' | 'boolean' | 'text' {
  if (type.kind !== 'tensor') throw notImportable(`input ${name} is not a tensor`)
  const { element, shape } = type
  const columnType = COLUMN_TYPES[element]
  const isColumn = shape === null || shape.length === 1 || (shape.length === 2 && shape[1] === 1)
  if (columnType !== undefined && isColumn) return columnType
  throw notImportable(
    `input ${name} is ${element} [${shape?.join(', ') ?? 'of any shape'}]: export the model with one float32 matrix, as to_onnx(model, X.astype(numpy.float32)) does, or with a tensor [rows, 1] a column`,
  )
}

function draftColumn(name: string, type: 'number' | 'boolean' | 'text'): Column {
  return { name, path: `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, type, required: true }
}

/** What was put where the training data had gaps is nowhere written, and a wrong guess is a wrong score. */
function gaps(columns: readonly NamedColumn[]): string[] {
  return columns
    .filter(({ required }) => required === false)
    .map(
      ({ name }) =>
        `the default of column ${name}, which training data did not always have: until then it is required`,
    )
}
