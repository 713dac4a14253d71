import { z } from 'zod'
import { SECRETS, settingsSchema } from './schema.ts'

/** One setting, for whoever lists them: environment reader, help, reference page. */
export interface Setting {
  /** e.g. `gateway.deadlineMs`. */
  readonly path: string
  /** e.g. `FRESHET_GATEWAY_DEADLINE_MS`. */
  readonly env: string
  readonly type: string
  /** As JSON; undefined when there is none. */
  readonly default: unknown
  readonly help: string
  readonly secret: boolean
  /** Only of a number. */
  readonly range?: NumberRange
}

interface NumberRange {
  readonly isWhole: boolean
  readonly isNullable: boolean
  readonly minimum?: number
  readonly maximum?: number
}

interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly anyOf?: readonly JsonSchema[]
  readonly enum?: readonly unknown[]
  readonly items?: JsonSchema
  readonly default?: unknown
  readonly description?: string
  readonly minimum?: number
  readonly maximum?: number
}

let settings: readonly Setting[] | undefined

/** Every setting, in the order of the schema. It is read from the schema once: with hundreds of them that takes a while. */
export function listSettings(): readonly Setting[] {
  settings ??= walk(z.toJSONSchema(settingsSchema, { io: 'input' }) as JsonSchema, '')
  return settings
}

function walk(schema: JsonSchema, path: string): Setting[] {
  if (schema.properties !== undefined)
    return Object.entries(schema.properties).flatMap(([name, child]) =>
      walk(child, path === '' ? name : `${path}.${name}`),
    )
  const { default: value, description: help = '' } = schema
  const range = rangeOf(schema)
  return [
    {
      path,
      env: envName(path),
      type: typeName(schema),
      default: value,
      help,
      secret: SECRETS.includes(path),
      ...(range !== undefined && { range }),
    },
  ]
}

function rangeOf({ type, minimum, maximum }: JsonSchema): NumberRange | undefined {
  const types = [type].flat()
  if (!types.includes('integer') && !types.includes('number')) return undefined
  return {
    isWhole: types.includes('integer'),
    isNullable: types.includes('null'),
    ...(isBound(minimum) && { minimum }),
    ...(isBound(maximum) && { maximum }),
  }
}

/** The schema of a whole number says also what fits into one. */
function isBound(bound: number | undefined): bound is number {
  return bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER
}

function typeName(schema: JsonSchema): string {
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  if (schema.anyOf) return schema.anyOf.map(typeName).join(' | ')
  if (schema.type === 'object') return 'JSON object'
  if (schema.type === 'array')
    return `list of ${schema.items?.type === 'object' ? 'objects' : schema.items?.type}`
  const bounds = [schema.minimum, schema.maximum].map((bound) => (isBound(bound) ? bound : ''))
  return `${schema.type}${bounds.join('') === '' ? '' : ` ${bounds.join('..')}`}`
}

/** `gateway.deadlineMs` → `FRESHET_GATEWAY_DEADLINE_MS`. */
function envName(path: string): string {
  return `FRESHET_${path
    .replace(/[.-]/g, '_')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toUpperCase()}`
}
