import { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { Column } from '../bundle/spec.ts'
import { compilePointer } from './json-pointer.ts'
import { parseTimeMs } from './parse-time.ts'
import { compileTimePart } from './time-part.ts'

export interface RowWriter {
  /** Floats in one row of the matrix. */
  readonly width: number
  /**
   * Writes one document as row `row` of the model's input matrix.
   * @param document bytes of `_source`, or the document already parsed.
   * @param into float32, row-major, at least (row + 1) × width long.
   * @returns null, or why the document cannot be scored; the row then holds nothing of meaning.
   */
  write(document: unknown, into: Float32Array, row: number): RowProblem | null
}

/** A reason that no retry mends: the document goes to the dead letters. */
export interface RowProblem {
  readonly code: 'DOCUMENT_NOT_JSON' | 'FIELD_MISSING' | 'FIELD_TYPE'
  /** JSON pointer to the field; null when the document as a whole is the problem. */
  readonly at: string | null
  readonly message: string
}

/** A field that is null counts as missing. A field of another type is a problem even where there is a default. */
export function compileColumns(columns: readonly Column[]): RowWriter {
  const width = columns.length
  const parseTime = rememberLast(parseTimeMs)
  const fields = columns.map((column) => ({
    column,
    find: compilePointer(column.path),
    read: compileReader(column, parseTime),
    /** NaN: required. */
    missing: typeof column.default === 'number' ? column.default : Number.NaN,
  }))
  return {
    width,
    write(document, into, row) {
      const root = document instanceof Uint8Array ? parse(document) : document
      if (typeof root !== 'object' || root === null || Array.isArray(root)) return notAnObject
      let at = row * width
      for (const { column, find, read, missing } of fields) {
        const value = find(root)
        const isMissing = value === undefined || value === null
        const float = isMissing ? missing : read(value)
        if (Number.isNaN(float)) return isMissing ? missingField(column) : wrongType(column, value)
        into[at++] = float
      }
      return null
    },
  }
}

/** undefined when the bytes are not JSON. */
function parse(document: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(document.buffer, document.byteOffset, document.length).toString())
  } catch {
    return undefined
  }
}

/** A value that is there as a finite float32; NaN when it is not what the column wants. */
type Reader = (value: unknown) => number

function compileReader(column: Column, parseTime: Reader): Reader {
  switch (column.type) {
    case 'number':
      return (value) => (typeof value === 'number' && isFloat32(value) ? value : Number.NaN)
    case 'boolean':
      return (value) => (value === true ? 1 : value === false ? 0 : Number.NaN)
    case 'category': {
      const codes = new Map(column.categories.map((category, code) => [category, code]))
      return (value) => (typeof value === 'string' ? (codes.get(value) ?? column.unknown) : Number.NaN)
    }
    case 'time':
      return compileTimePart(column.part, column.timeZone, parseTime)
    case 'text':
      throw new FreshetError('MODEL_INVALID', `column ${column.name}: text is not read yet`)
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

function isFloat32(value: number): boolean {
  return Number.isFinite(Math.fround(value))
}

const notAnObject: RowProblem = {
  code: 'DOCUMENT_NOT_JSON',
  at: null,
  message: 'the document is not a JSON object',
}

function missingField({ name, path }: Column): RowProblem {
  return { code: 'FIELD_MISSING', at: path, message: `${path} is missing, and column ${name} has no default` }
}

const WANTED = {
  number: 'a number within float32',
  boolean: 'true or false',
  category: 'a string',
  text: 'a string',
  time: 'an ISO 8601 time or milliseconds since 1970',
} as const

function wrongType({ name, path, type }: Column, value: unknown): RowProblem {
  const found = Array.isArray(value) ? 'array' : typeof value
  return {
    code: 'FIELD_TYPE',
    at: path,
    message: `${path} holds a value of type ${found}; column ${name} wants ${WANTED[type]}`,
  }
}
