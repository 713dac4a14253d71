import type { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { z } from 'zod'
import { checkWith, type Naming, parseJson } from './parse-with.ts'

/** A record kept as JSON with a `version`, refused by name when this build does not know it. */
export interface JsonRecord<T> {
  readonly encode: (value: T) => string
  /** @throws RECORD_VERSION for a newer one, RECORD_OUTDATED for one too old, RECORD_MALFORMED */
  readonly decode: (text: string | Buffer) => T
}

/** Older versions that are still read, each with the step to the present one. */
type Upgrades = Readonly<Record<number, (old: object) => object>>

export function jsonRecord<T extends { readonly version: number }>(
  name: string,
  version: T['version'],
  schema: z.ZodType<T>,
  upgrades: Upgrades = {},
): JsonRecord<T> {
  return {
    encode: (value) => JSON.stringify(value),
    decode(text) {
      const naming = { code: 'RECORD_MALFORMED', what: name } as const
      const value = parseJson(text.toString(), naming) as { version?: unknown } | null
      const found = value?.version
      if (found === version) return checkWith(schema, value, naming)
      if (typeof found !== 'number') throw new FreshetError('RECORD_MALFORMED', `${name} without a version`)
      const upgrade = upgrades[found]
      if (upgrade !== undefined) return checkWith(schema, upgraded(value!, upgrade, naming), naming)
      const code = found > version ? 'RECORD_VERSION' : 'RECORD_OUTDATED'
      throw new FreshetError(code, `${name} version ${found}, this build reads ${version}`)
    },
  }
}

/** An old record is checked after its upgrade, so the upgrade may meet anything, and stumble over it. */
function upgraded(old: object, upgrade: (old: object) => object, { code, what }: Naming): object {
  try {
    return upgrade(old)
  } catch (cause) {
    throw new FreshetError(code, `${what}: an old version of another shape`, { cause })
  }
}
