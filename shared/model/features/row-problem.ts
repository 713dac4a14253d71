import type { Column } from '../bundle/spec.ts'
import { compileTransform, type Fits } from './number-column.ts'

/** A reason that no retry mends: the document goes to the dead letters. */
export interface RowProblem {
  readonly code: 'DOCUMENT_NOT_JSON' | 'FIELD_MISSING' | 'FIELD_TYPE'
  /** JSON pointer to the field; null when the document as a whole is the problem. */
  readonly at: string | null
  readonly message: string
}

export const notAnObject: RowProblem = {
  code: 'DOCUMENT_NOT_JSON',
  at: null,
  message: 'the document is not a JSON object',
}

/** Of a value that is nothing for its column. No message repeats it: it may be a secret. */
export function problemOf(
  { column, fits }: { readonly column: Column; readonly fits: Fits },
  value: unknown,
): RowProblem {
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
