import type { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { z } from 'zod'

/** A record kept as JSON with a `version`, refused by name when this build does not know it. */
export interface JsonRecord<T> {
  readonly encode: (value: T) => string
  /** @throws RECORD_VERSION, RECORD_MALFORMED */
  readonly decode: (text: string | Buffer) => T
}

export function jsonRecord<T extends { readonly version: number }>(
  name: string,
  version: T['version'],
  schema: z.ZodType<T>,
): JsonRecord<T> {
  return {
    encode: (value) => JSON.stringify(value),
    decode(text) {
      const value = parse(name, text.toString())
      const found = (value as { version?: unknown } | null)?.version
      if (found !== version)
        throw new FreshetError('RECORD_VERSION', `${name} version ${found}, this build reads ${version}`)
      const result = schema.safeParse(value)
      if (!result.success) {
        const issue = result.error.issues[0]!
        throw new FreshetError('RECORD_MALFORMED', `${name}: ${issue.path.join('.')}: ${issue.message}`)
      }
      return result.data
    },
  }
}

function parse(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new FreshetError('RECORD_MALFORMED', `${name} is not JSON`, { cause })
  }
}
