import type { estypes } from '@elastic/elasticsearch'
import { type Kql, parseKql } from './parse-kql.kit.ts'

export type Query = NonNullable<estypes.QueryDslQueryContainer>

/** What Kibana asks Elasticsearch for a KQL query. */
export function kqlToQuery(query: string): Query {
  return queryOf(parseKql(query))
}

function queryOf(kql: Kql): Query {
  switch (kql.kind) {
    case 'all':
      return { match_all: {} }
    case 'and':
      return { bool: { filter: kql.parts.map(queryOf) } }
    case 'or':
      return { bool: { should: kql.parts.map(queryOf), minimum_should_match: 1 } }
    case 'not':
      return { bool: { must_not: [queryOf(kql.part)] } }
    case 'exists':
      return anyOf({ exists: { field: kql.field } })
    case 'is':
      return anyOf(
        kql.isPhrase ? { match_phrase: { [kql.field]: kql.value } } : { match: { [kql.field]: kql.value } },
      )
    case 'range':
      return anyOf({ range: { [kql.field]: { [RANGE[kql.operator]]: kql.value } } })
  }
}

const RANGE = { '<': 'lt', '<=': 'lte', '>': 'gt', '>=': 'gte' } as const

/** Kibana wraps each clause so, since a field name may have wildcards. */
function anyOf(query: Query): Query {
  return { bool: { should: [query], minimum_should_match: 1 } }
}
