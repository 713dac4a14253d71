import type { estypes } from '@elastic/elasticsearch'
import { kqlToQuery, type Query } from '../kql/to-query.kit.ts'
import { type TimeRange, within } from './lens-to-search.kit.ts'

interface SavedSession {
  readonly query: string
  readonly columns: readonly string[]
  readonly sort: readonly (readonly [field: string, direction: 'asc' | 'desc'])[]
}

interface Search {
  readonly size: number
  readonly _source: false
  readonly query: Query
  readonly sort: estypes.SortCombinations[]
  readonly fields: estypes.QueryDslFieldAndFormat[]
}

/** What Discover asks for a saved session: the first page of hits, with the fields of its columns. */
export function sessionSearch({ query, columns, sort }: SavedSession, range: TimeRange): Search {
  return {
    size: 500,
    _source: false,
    query: within(kqlToQuery(query), range),
    // A field that no index has, or not all have, sorts last.
    sort: sort.map(([field, order]) => ({ [field]: { order, unmapped_type: 'boolean' } })),
    fields: ['@timestamp', ...columns].map((field) => ({ field })),
  }
}
