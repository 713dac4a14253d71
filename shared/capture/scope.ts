import { createHash } from 'node:crypto'
import type { Settings } from '@freshet/config/schema.ts'

/** What is captured of an index: which documents, what of each, and under which key and version. */
export interface Scope {
  /** Stands for all of the below: a cursor of another hash is worth nothing, so its shard starts a new epoch. */
  readonly hash: string
  /** A document that it does not match counts as deleted. Left out: every document is in scope. */
  readonly query?: object
  /** Left out: documents travel whole, byte for byte. */
  readonly sourceFilter?: SourceFilter
  readonly key: KeyScheme
  /** Path of the whole number that stands first in a revision. */
  readonly versionField?: string
}

/** As `_source` of a search takes it. */
interface SourceFilter {
  readonly includes: readonly string[]
  readonly excludes: readonly string[]
}

/** What names a document: its index and id, its id, or a field. */
export type KeyScheme = 'index/id' | 'id' | { readonly field: string }

type Parts = Pick<
  Settings['elasticsearch'],
  'filter' | 'softDeleteField' | 'includeFields' | 'excludeFields' | 'key' | 'versionField'
>

export function scopeOf(settings: Parts): Scope {
  const { includeFields, excludeFields, versionField } = settings
  const query = queryOf(settings)
  const isWhole = includeFields.length === 0 && excludeFields.length === 0
  return {
    hash: hashOf(settings),
    ...(query !== undefined && { query }),
    ...(!isWhole && { sourceFilter: { includes: includeFields, excludes: excludeFields } }),
    key: keySchemeOf(settings.key),
    ...(versionField !== undefined && { versionField }),
  }
}

/** Filter and soft delete are one: what does not match is gone. */
function queryOf({ filter, softDeleteField }: Parts): object | undefined {
  if (softDeleteField === undefined) return filter
  const deleted = { term: { [softDeleteField]: true } }
  return { bool: { ...(filter !== undefined && { filter: [filter] }), must_not: [deleted] } }
}

const FIELD = 'field:'

function keySchemeOf(key: string): KeyScheme {
  if (key.startsWith(FIELD)) return { field: key.slice(FIELD.length) }
  return key === 'id' ? 'id' : 'index/id'
}

/** The same for the same settings in another order; 16 hex digits. */
function hashOf({ filter, softDeleteField, includeFields, excludeFields, key, versionField }: Parts): string {
  const includes = includeFields.toSorted()
  const excludes = excludeFields.toSorted()
  const text = JSON.stringify(sorted({ filter, softDeleteField, includes, excludes, key, versionField }))
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]))
}
