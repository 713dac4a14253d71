import { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { Column } from '../bundle/spec.ts'
import type { ElementType } from '../onnx/graph.ts'
import type { Features } from './features.ts'
import { compilePointer } from './json-pointer.ts'
import { LayoutReader } from './layouts/layout-reader.ts'
import { type JsonBytes, jsonBytes } from './layouts/layouts.ts'
import { compileNumber, compileTransform, type Fits, NUMBERS } from './number-column.ts'
import { parseTimeMs } from './parse-time.ts'
import { compileTimePart } from './time-part.ts'

export interface RowWriter {
  /** Room for so many rows. */
  allocate(rows: number): Features
  /**
   * Writes one document as row `row` of the model's input.
   * @param document bytes of `_source`, or the document already parsed.
   * @param into from `allocate`, with more than `row` rows.
   * @returns null, or why the document cannot be scored; the row then holds nothing of meaning.
   */
  write(document: unknown, into: Features, row: number): RowProblem | null
  /** The same of a document whose bytes stand among others. */
  writeBytes(text: JsonBytes, from: number, to: number, into: Features, row: number): RowProblem | null
  /** What was written so far, column by column. */
  counts(): ColumnCounts[]
}

/** A reason that no retry mends: the document goes to the dead letters. */
export interface RowProblem {
  readonly code: 'DOCUMENT_NOT_JSON' | 'FIELD_MISSING' | 'FIELD_TYPE'
  /** JSON pointer to the field; null when the document as a whole is the problem. */
  readonly at: string | null
  readonly message: string
}

/** Of one column, since the writer was made. What it holds only grows, so two readings tell of the time between. */
export interface ColumnCounts {
  readonly name: string
  /** Documents in which the field was looked for: all, but those that had a problem with an earlier column. */
  readonly rows: number
  /** Of these, without the field, or with null. */
  readonly missing: number
  /** Of these, with a text that is none of the categories. */
  readonly unknown: number
  /** Of the values that the model was given where the field was there: (rows - missing) of them. 0 for text. */
  readonly sum: number
}

/**
 * A field that is null counts as missing. A field of another type is a problem even where there is a default.
 * @param elements of each column's own tensor; without, all columns make one float32 matrix.
 * @throws MODEL_INVALID when a column cannot feed its tensor
 */
export function compileColumns(columns: readonly Column[], elements?: readonly ElementType[]): RowWriter {
  const fields = compileFields(columns, elements)
  const textWidth = fields.filter(({ kind }) => kind === 'text').length
  const width = fields.length - textWidth
  const reader = new LayoutReader(fields)

  const writeBytes: RowWriter['writeBytes'] = (text, from, to, into, row) => {
    if (reader.write(text, from, to, into, row)) return null
    const root = parse(text.bytes, from, to)
    const problem = writeParsed(root, into, row)
    if (problem !== notAnObject) reader.parsed(text, from, to)
    return problem
  }

  const writeParsed: RowWriter['write'] = (root, into, row) => {
    if (typeof root !== 'object' || root === null || Array.isArray(root)) return notAnObject
    const { numbers } = into
    const texts = into.texts as string[]
    let at = row * width
    let textAt = row * textWidth
    for (const field of fields) {
      const value = field.find(root)
      field.rows++
      const isMissing = value === undefined || value === null
      if (isMissing) field.missing++
      if (field.kind === 'text') {
        const text = isMissing ? field.missingText : value
        if (typeof text !== 'string') return problemOf(field, value)
        texts[textAt++] = text
        continue
      }
      const number = isMissing ? field.missingNumber : field.read(value)
      if (Number.isNaN(number)) return problemOf(field, value)
      if (!isMissing) field.sum += number
      numbers[at++] = number
    }
    return null
  }

  return {
    allocate: (rows) => ({
      rows,
      numbers: elements === undefined ? new Float32Array(rows * width) : new Float64Array(rows * width),
      texts: new Array<string>(rows * textWidth).fill(''),
    }),
    write(document, into, row) {
      if (document instanceof Uint8Array)
        return writeBytes(jsonBytes(document), 0, document.length, into, row)
      return writeParsed(document, into, row)
    },
    writeBytes,
    counts: () =>
      fields.map(({ column: { name }, rows, missing, unknown, sum }, index) => ({
        name,
        rows: rows + reader.counts.rows,
        missing: missing + reader.counts.missing[index]!,
        unknown: unknown + reader.counts.unknown[index]!,
        sum: sum + reader.counts.sums[index]!,
      })),
  }
}

/** A column on its way, and its counts beside it: they are written with every document. */
interface Field {
  readonly column: Column
  readonly kind: 'number' | 'text'
  readonly fits: Fits
  readonly find: (root: object) => unknown
  /** Of a category, by its text. */
  readonly codes: ReadonlyMap<string, number>
  /** A value that is there as the model takes it; NaN when it is not what the column wants. */
  read: Reader
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

function compileFields(columns: readonly Column[], elements: readonly ElementType[] | undefined): Field[] {
  const parseTime = rememberLast(parseTimeMs)
  return columns.map((column, index) => {
    const fits = fitsOf(column, elements?.[index] ?? 'float32')
    const field: Field = {
      column,
      kind: column.type === 'text' ? 'text' : 'number',
      fits,
      find: compilePointer(column.path),
      codes: new Map(column.type === 'category' ? column.categories.map((text, code) => [text, code]) : []),
      read: never,
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
      return never
  }
}

function never(): number {
  return Number.NaN
}

/** undefined when the bytes are not JSON. */
function parse(bytes: Uint8Array, from: number, to: number): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString())
  } catch {
    return undefined
  }
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

const notAnObject: RowProblem = {
  code: 'DOCUMENT_NOT_JSON',
  at: null,
  message: 'the document is not a JSON object',
}

/** No message repeats a value: it may be a secret. */
function problemOf({ column, fits }: Field, value: unknown): RowProblem {
  const { name, path, type } = column
  if (value === undefined || value === null)
    return {
      code: 'FIELD_MISSING',
      at: path,
      message: `${path} is missing, and column ${name} has no default`,
    }
  if (type === 'number' && typeof value === 'number' && fits.includes(value)) {
    const { steps } = compileTransform(column)
    const message = `${path} is not ${fits.wanted} after ${steps.join(', ')} of column ${name}`
    return { code: 'FIELD_TYPE', at: path, message }
  }
  const found = Array.isArray(value) ? 'array' : typeof value
  const wanted = type === 'number' ? fits.wanted : WANTED[type]
  const message = `${path} holds a value of type ${found}; column ${name} wants ${wanted}`
  return { code: 'FIELD_TYPE', at: path, message }
}

const WANTED = {
  boolean: 'true or false',
  category: 'a string',
  time: 'an ISO 8601 time or milliseconds since 1970',
  text: 'a string',
} as const
