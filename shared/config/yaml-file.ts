import { readFileSync } from 'node:fs'
import { FreshetError } from '@freshet/errors/errors.ts'
import { parse as parseYaml } from 'yaml'

export type Tree = { [name: string]: Tree | unknown }

/**
 * A file of YAML, or of JSON, which is YAML, that holds values by name; an empty one holds none.
 * @throws CONFIG_MISSING, CONFIG_INVALID
 */
export function readYamlFile(path: string): Tree {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new FreshetError('CONFIG_MISSING', `cannot read ${path}: ${(cause as Error).message}`, { cause })
  }
  try {
    const value: unknown = parseYaml(text) ?? {}
    if (isTree(value)) return value
  } catch (cause) {
    // Not only its own errors: an alias for too much, or lists too deep within each other, are told in other ways.
    const why = (cause as Error).message.split('\n')[0]
    throw new FreshetError('CONFIG_INVALID', `${path} is not YAML: ${why}`, { cause })
  }
  throw new FreshetError('CONFIG_INVALID', `${path} must hold settings by name`)
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
