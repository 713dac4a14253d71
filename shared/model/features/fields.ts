import { FreshetError } from '@freshet/errors/errors.ts'
import type { Column } from '../bundle/spec.ts'
import type { ElementType } from '../onnx/graph.ts'
import { compilePointer } from './json-pointer.ts'
import { compileNumber, compileTransform, type Fits, NUMBERS } from './number-column.ts'
import { parseTimeMs } from './parse-time.ts'
import { compileTimePart } from './time-part.ts'

/** A column that is ready to be read, and its counts beside it: they are written with every document. */
export interface Field {
  readonly column: Column
  readonly kind: 'number' | 'text'
  readonly fits: Fits
  readonly find: (root: object) => unknown
  /** Of a category, by its text. */
  readonly codes: ReadonlyMap<string, number>
  /** A value that is there as the model takes it; NaN when it is not what the column wants. */
  read: Reader
  /** That `read` gives a number as it is, if only it is finite as float32. */
  readonly isPlainFloat32: boolean
  /** NaN, or undefined: required. */
  readonly missingNumber: number
  readonly missingText: string | undefined
  rows: number
  missing: number
  unknown: number
  sum: number
}

type Reader = (value: unknown) => number

export function compileFields(
  columns: readonly Column[],
  elements: readonly ElementType[] | undefined,
): Field[] {
  const parseTime = rememberLast(parseTimeMs)
  return columns.map((column, index) => {
    const fits = fitsOf(column, elements?.[index] ?? 'float32')
    const field: Field = {
      column,
      kind: column.type === 'text' ? 'text' : 'number',
      fits,
      find: compilePointer(column.path),
      codes: new Map(column.type === 'category' ? column.categories.map((text, code) => [text, code]) : []),
      read: takesNothing,
      isPlainFloat32:
        elements === undefined && column.type === 'number' && compileTransform(column).steps.length === 0,
      missingNumber: typeof column.default === 'number' ? column.default : Number.NaN,
      missingText: typeof column.default === 'string' ? column.default : undefined,
      rows: 0,
      missing: 0,
      unknown: 0,
      sum: 0,
    }
    field.read = compileReader(field, parseTime)
    return field
  })
}

/** @throws MODEL_INVALID */
function fitsOf(column: Column, element: ElementType): Fits {
  const { name, type } = column
  const refuse = (message: string) => new FreshetError('MODEL_INVALID', `column ${name}: ${message}`)
  if ((type === 'text') !== (element === 'string'))
    throw refuse(`the model wants ${element}, model.json says ${type}`)
  const isOneOfMany = type === 'category' || type === 'time'
  const fits = element === 'bool' && isOneOfMany ? undefined : NUMBERS[element]
  if (fits === undefined) throw refuse(`a tensor of ${element} cannot be fed with a ${type}`)
  const known = typeof column.default === 'number' ? [column.default] : []
  if (type === 'category') known.push(column.unknown)
  const odd = known.find((value) => !fits.includes(value))
  if (odd !== undefined) throw refuse(`${odd} is not ${fits.wanted}`)
  return fits
}

function compileReader(field: Field, parseTime: Reader): Reader {
  const { column, fits, codes } = field
  switch (column.type) {
    case 'number':
      return compileNumber(column, fits)
    case 'boolean':
      return (value) => (value === true ? 1 : value === false ? 0 : Number.NaN)
    case 'category':
      return (value) => {
        if (typeof value !== 'string') return Number.NaN
        const code = codes.get(value)
        if (code !== undefined) return code
        field.unknown++
        return column.unknown
      }
    case 'time':
      return compileTimePart(column.part, column.timeZone, parseTime)
    case 'text':
      return takesNothing
  }
}

function takesNothing(): number {
  return Number.NaN
}

/** Hour, weekday and month of a document are read from one field: its time is parsed once. */
function rememberLast(read: Reader): Reader {
  let last: unknown
  let result = Number.NaN
  return (value) => {
    if (value === last) return result
    last = value
    return (result = read(value))
  }
}
