import { type ErrorCode, FreshetError } from '@freshet/errors/errors.ts'
import type { z } from 'zod'

/** How what is wrong is told: which error, and what the text is called. */
export interface Naming {
  readonly code: ErrorCode
  /** e.g. `model.json` */
  readonly what: string
}

/**
 * JSON as its schema says.
 * @throws `code`, naming the first thing that is wrong
 */
export function parseWith<T>(schema: z.ZodType<T>, text: string, naming: Naming): T {
  return checkWith(schema, parseJson(text, naming), naming)
}

/** The first half of `parseWith`, for those that look at a version in between. */
export function parseJson(text: string, { code, what }: Naming): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const why = NOT_A_NUMBER.test(text) ? ': NaN and Infinity are no JSON; write null, or a number' : ''
    throw new FreshetError(code, `${what} is not JSON${why}`, { cause })
  }
}

/** As Python's json.dumps writes them. */
const NOT_A_NUMBER = /[:,[]\s*-?(NaN|Infinity)\b/

/** The second half. */
export function checkWith<T>(schema: z.ZodType<T>, value: unknown, { code, what }: Naming): T {
  const result = tryCheck(schema, value)
  if (result === undefined) throw new FreshetError(code, `${what}: values lie too deep within each other`)
  if (result.success) return result.data
  const { path, message } = result.error.issues[0]!
  throw new FreshetError(code, `${what}: ${path.join('.') || 'top level'}: ${message}`)
}

/** zod goes down by recursion where a schema takes any JSON. undefined: the stack did not do for it. */
function tryCheck<T>(schema: z.ZodType<T>, value: unknown): z.ZodSafeParseResult<T> | undefined {
  try {
    return schema.safeParse(value)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
