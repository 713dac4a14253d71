import { Buffer } from 'node:buffer'
import type { Column } from '../bundle/spec.ts'
import type { ElementType } from '../onnx/graph.ts'
import type { Features } from './features.ts'
import { compileFields } from './fields.ts'
import { LayoutReader } from './layouts/layout-reader.ts'
import { type JsonBytes, jsonBytes } from './layouts/layouts.ts'
import { notAnObject, problemOf, type RowProblem } from './row-problem.ts'

export type { RowProblem } from './row-problem.ts'

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

/** undefined when the bytes are not JSON. */
function parse(bytes: Uint8Array, from: number, to: number): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString())
  } catch {
    return undefined
  }
}
