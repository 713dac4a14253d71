import { toFreshetError } from '@freshet/errors/errors.ts'
import { ATTRIBUTES } from './attributes.ts'
import type { LogAttributes } from './log.ts'

/** What a line below `error` says of the error that it is about. */
export function errorAttributes(error: unknown) {
  const { code, message } = toFreshetError(error)
  return { [ATTRIBUTES.errorType]: code, [ATTRIBUTES.exceptionMessage]: message } satisfies LogAttributes
}
