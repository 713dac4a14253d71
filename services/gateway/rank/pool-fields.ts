import type { Settings } from '@freshet/config/schema.ts'
import { neededFields, travels } from '@freshet/config/travelling-fields.ts'
import { pointerTokens } from '@freshet/model/features/json-pointer.ts'

type Scope = Pick<Settings['elasticsearch'], 'key' | 'versionField' | 'includeFields' | 'excludeFields'>

/** What is asked of each document of a pool. */
export interface PoolFields {
  /** As `_source` of a search takes it. */
  readonly source: false | { readonly includes: readonly string[]; readonly excludes: readonly string[] }
  /** Two of the same ask for the same. */
  readonly signature: string
}

/**
 * Only what the model reads, of that only what travels to the scorer as well, so that both score the same, and what the
 * key is made of.
 * @param paths JSON pointers of the model's columns; none: there is no model.
 */
export function poolFields(paths: readonly string[], scope: Scope): PoolFields {
  const fields = new Set(paths.map(fieldOf).filter((field) => travels(field, scope)))
  for (const [, field] of neededFields({ ...scope, versionField: undefined })) fields.add(field)
  if (fields.size === 0) return { source: false, signature: '' }
  const source = { includes: [...fields].toSorted(), excludes: scope.excludeFields }
  return { source, signature: source.includes.join('\n') }
}

/**
 * As Elasticsearch names it. A list is asked for whole: it would leave out the elements that have nothing of what is asked
 * for, and the others would move up.
 */
function fieldOf(pointer: string): string {
  const tokens = pointerTokens(pointer)
  const index = tokens.findIndex((token, at) => at > 0 && /^\d+$/.test(token))
  return tokens.slice(0, index === -1 ? undefined : index).join('.')
}
