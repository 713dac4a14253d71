/**
 * Which queries may reach Elasticsearch through the gateway: an allow-list of clauses and of the options of each.
 * Left out on purpose: whatever runs a script, reads another index (terms lookup, joins, more_like_this, percolate,
 * indexed shapes), calls a model, hides a query in text (query_string, wrapper, wildcard, regexp), or explains itself.
 */
import {
  type Check,
  eachOf,
  fieldOf,
  listOf,
  literal,
  number,
  objectOf,
  oneOf,
  oneOrMore,
  value,
  values,
} from './query-check.ts'

/** One clause, `{"<name>": {…}}`; `boost` and `_name` go with every one. */
export const query: Check = (node, at, visit) => {
  const name = visit.onlyName(node, at)
  const check = Object.hasOwn(CLAUSES, name) ? CLAUSES[name] : undefined
  if (check === undefined) throw visit.refuse(`${at}.${name}`, 'no such clause is allowed')
  visit.deeper(at, () => check((node as Record<string, unknown>)[name], `${at}.${name}`, visit))
}

const queries: Check = oneOrMore(query)
const common = { boost: number, _name: literal }
const analyzed = {
  analyzer: literal,
  operator: oneOf('and', 'or', 'AND', 'OR'),
  minimum_should_match: literal,
  zero_terms_query: oneOf('none', 'all'),
  lenient: literal,
  slop: number,
  fuzziness: literal,
  prefix_length: number,
  max_expansions: number,
  fuzzy_transpositions: literal,
  auto_generate_synonyms_phrase_query: literal,
}
const text = fieldOf(objectOf({ query: value, ...analyzed, ...common }), value)
const point: Check = oneOrMore(value, objectOf({ lat: value, lon: value }))
const decay = fieldOf(objectOf({ origin: point, scale: literal, offset: literal, decay: number }))

const scoreFunction = objectOf({
  filter: query,
  weight: number,
  random_score: objectOf({ seed: value, field: literal }),
  field_value_factor: objectOf({ field: literal, factor: number, modifier: literal, missing: number }),
  linear: decay,
  exp: decay,
  gauss: decay,
})

const CLAUSES: Readonly<Record<string, Check>> = {
  match_all: objectOf(common),
  match_none: objectOf(common),
  bool: objectOf({
    must: queries,
    filter: queries,
    should: queries,
    must_not: queries,
    minimum_should_match: literal,
    ...common,
  }),
  constant_score: objectOf({ filter: query, ...common }),
  dis_max: objectOf({ queries, tie_breaker: number, ...common }),
  boosting: objectOf({ positive: query, negative: query, negative_boost: number, ...common }),
  nested: objectOf({
    path: literal,
    query,
    score_mode: oneOf('avg', 'max', 'min', 'none', 'sum'),
    ignore_unmapped: literal,
    ...common,
  }),
  function_score: objectOf({
    query,
    functions: listOf(scoreFunction),
    weight: number,
    score_mode: oneOf('multiply', 'sum', 'avg', 'first', 'max', 'min'),
    boost_mode: oneOf('multiply', 'replace', 'sum', 'avg', 'max', 'min'),
    max_boost: number,
    min_score: number,
    ...common,
  }),
  term: fieldOf(objectOf({ value, case_insensitive: literal, ...common }), value),
  // A list only: an object would look the values up in another index.
  terms: fieldOf(values, undefined, common),
  range: fieldOf(
    objectOf({
      gt: value,
      gte: value,
      lt: value,
      lte: value,
      format: literal,
      time_zone: literal,
      relation: oneOf('INTERSECTS', 'CONTAINS', 'WITHIN', 'intersects', 'contains', 'within'),
      ...common,
    }),
  ),
  exists: objectOf({ field: literal, ...common }),
  ids: objectOf({ values, ...common }),
  prefix: fieldOf(objectOf({ value, case_insensitive: literal, ...common }), value),
  match: text,
  match_phrase: text,
  match_phrase_prefix: text,
  match_bool_prefix: text,
  multi_match: objectOf({
    query: value,
    fields: oneOrMore(literal),
    type: literal,
    tie_breaker: number,
    ...analyzed,
    ...common,
  }),
  combined_fields: objectOf({ query: value, fields: oneOrMore(literal), ...analyzed, ...common }),
  geo_distance: fieldOf(point, undefined, {
    distance: value,
    distance_type: oneOf('arc', 'plane'),
    validation_method: literal,
    ignore_unmapped: literal,
    ...common,
  }),
  geo_bounding_box: fieldOf(
    objectOf({ top_left: point, bottom_right: point, top: value, left: value, bottom: value, right: value }),
    undefined,
    { validation_method: literal, ignore_unmapped: literal, ...common },
  ),
  distance_feature: objectOf({ field: literal, origin: point, pivot: literal, ...common }),
  rank_feature: objectOf({
    field: literal,
    saturation: objectOf({ pivot: number }),
    log: objectOf({ scaling_factor: number }),
    sigmoid: objectOf({ pivot: number, exponent: number }),
    linear: objectOf({}),
    ...common,
  }),
  knn: objectOf({
    field: literal,
    query_vector: values,
    k: number,
    num_candidates: number,
    filter: queries,
    similarity: number,
    ...common,
  }),
}

export const CLAUSE_NAMES: readonly string[] = Object.keys(CLAUSES)

/** `"field"`, or `{"field": "desc"}`, or `{"field": {"order": "desc", …}}`. Nothing computes: no `_script`. */
const sortKey: Check = (node, at, visit) => {
  if (typeof node === 'string') return literal(node, at, visit)
  const name = visit.onlyName(node, at)
  if (name === '_script' || name === '_geo_distance')
    throw visit.refuse(`${at}.${name}`, 'no such order is allowed')
  eachOf(sortOptions)(node, at, visit)
}

const sortOptions: Check = (node, at, visit) =>
  typeof node === 'string'
    ? order(node, at, visit)
    : objectOf({
        order,
        missing: literal,
        mode: oneOf('min', 'max', 'sum', 'avg', 'median'),
        unmapped_type: literal,
        format: literal,
        numeric_type: literal,
      })(node, at, visit)
const order = oneOf('asc', 'desc')

export const sort: Check = listOf(sortKey)
