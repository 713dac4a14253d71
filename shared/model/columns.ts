import { FreshetError } from '@freshet/errors/errors.ts'
import type { Column } from './spec.ts'

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

export function compileColumns(columns: readonly Column[]): RowWriter {
  throw new FreshetError('BUG', `not built yet: ${columns.length} columns`)
}
