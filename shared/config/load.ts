import { existsSync } from 'node:fs'
import { FreshetError } from '@freshet/errors/errors.ts'
import { parse as parseYaml } from 'yaml'
import { checkGatewayAccess, checkPageAccess } from './check-access.ts'
import { listSettings } from './describe.ts'
import { type Settings, settingsSchema } from './schema.ts'
import { neededFields, travels } from './travelling-fields.ts'
import { isTree, readYamlFile, type Tree } from './yaml-file.ts'

export interface Sources {
  /** Path given with --config; else `freshet.yaml` when it exists. */
  readonly file?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where `freshet up` put the backing services, as settings; weaker than file and environment. */
  readonly services?: Tree | undefined
}

/**
 * Environment over file over running services over defaults.
 * @throws CONFIG_MISSING, CONFIG_INVALID naming every wrong setting
 */
export function loadSettings({ file, env, services = {} }: Sources): Settings {
  const settings: Tree = structuredClone(services)
  merge(settings, readFile(file))
  for (const [path, value] of envSettings(env)) put(settings, path, value)
  const result = settingsSchema.safeParse(settings)
  if (result.success) return checkTogether(result.data)
  const issues = result.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'the file'}: ${rangeInWords(path.join('.')) ?? message}`,
  )
  throw new FreshetError('CONFIG_INVALID', issues.join('; '))
}

/** What a number must be, whatever is wrong with it; undefined for a setting that is none. */
function rangeInWords(path: string): string | undefined {
  const range = listSettings().find((setting) => setting.path === path)?.range
  if (range === undefined) return undefined
  const { isWhole, isNullable, minimum, maximum } = range
  return [
    isWhole ? 'a whole number' : 'a number',
    ...(minimum === undefined ? [] : [`from ${minimum}`]),
    ...(maximum === undefined ? [] : [minimum === undefined ? `up to ${maximum}` : `to ${maximum}`]),
    ...(isNullable ? ['or null'] : []),
  ].join(' ')
}

/** What one setting asks of another. */
function checkTogether(settings: Settings): Settings {
  checkGatewayAccess(settings.gateway)
  checkPageAccess(settings.watchdog)
  if (settings.elasticsearch.mode === 'timestamp' && settings.elasticsearch.timestampField === undefined)
    throw new FreshetError(
      'CONFIG_INVALID',
      'elasticsearch.timestampField: elasticsearch.mode is timestamp, so this must name the date field that tells when a document was last changed',
    )
  for (const [setting, field] of neededFields(settings.elasticsearch))
    if (!travels(field, settings.elasticsearch))
      throw new FreshetError(
        'CONFIG_INVALID',
        `elasticsearch.${setting}: ${field} must travel, but elasticsearch.includeFields or excludeFields leaves it behind`,
      )
  return settings
}

function readFile(file: string | undefined): Tree {
  if (file !== undefined) return readYamlFile(file)
  return existsSync('freshet.yaml') ? readYamlFile('freshet.yaml') : {}
}

function* envSettings(env: Sources['env']): Generator<[string, unknown]> {
  const known = listSettings()
  for (const { path, env: name, type } of known) {
    const text = env[name]
    if (text !== undefined) yield [path, fromText(text, type)]
  }
  const names = new Set(known.map((setting) => setting.env))
  const unknown = Object.keys(env).filter(
    (name) => name.startsWith('FRESHET_') && !names.has(name) && !RESERVED.has(name),
  )
  if (unknown.length > 0)
    throw new FreshetError('CONFIG_INVALID', `no such setting: ${unknown.sort().join(', ')}`)
}

/** Environment variables of ours that are no settings. */
const RESERVED = new Set(['FRESHET_CONFIG', 'FRESHET_HOME'])

/** Lists may be written with commas; everything but strings is read as YAML. */
function fromText(text: string, type: string): unknown {
  if (type === 'list of string') return text.split(',').map((item) => item.trim())
  if (type.startsWith('string') || type.startsWith('"')) return text
  try {
    return parseYaml(text)
  } catch {
    return text // the schema says what is wrong with it
  }
}

function put(tree: Tree, path: string, value: unknown): void {
  const names = path.split('.')
  const last = names.pop()!
  let at = tree
  for (const name of names) at = (isTree(at[name]) ? at[name] : (at[name] = {})) as Tree
  at[last] = value
}

/** Own names only: a key called `__proto__` is a wrong setting, not a way into every object. */
function merge(into: Tree, from: Tree): void {
  for (const [name, value] of Object.entries(from)) {
    const there = Object.hasOwn(into, name) ? into[name] : undefined
    if (isTree(there) && isTree(value)) merge(there, value)
    else Object.defineProperty(into, name, { value, enumerable: true, writable: true, configurable: true })
  }
}
