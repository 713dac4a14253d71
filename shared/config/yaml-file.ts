import { readFileSync } from 'node:fs'
import { FreshetError } from '@freshet/errors/errors.ts'
import { parse as parseYaml, YAMLParseError } from 'yaml'

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
    if (!(cause instanceof YAMLParseError)) throw cause
    throw new FreshetError('CONFIG_INVALID', `${path} is not YAML: ${cause.message.split('\n')[0]}`, {
      cause,
    })
  }
  throw new FreshetError('CONFIG_INVALID', `${path} must hold settings by name`)
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
