/** What the examples ask for, beside the fields of a flight: `carrier` is text, `origin` a keyword. */
export const EXAMPLE_FIELDS = {
  legs: [{ gate: 'A1' }],
  airport: { lat: 40.64, lon: -73.78 },
  importance: 3,
  embedding: [0.6, 0.8],
}

/** Of the same, as Elasticsearch has to know them. */
export const EXAMPLE_MAPPING = {
  legs: { type: 'nested', properties: { gate: { type: 'keyword' } } },
  airport: { type: 'geo_point' },
  embedding: { type: 'dense_vector', dims: 2 },
}

/** The same, of Elasticsearch's module `mapper-extras`: not every build has it. */
export const RANK_FEATURE_MAPPING = { importance: { type: 'rank_feature' } }

const some = { term: { origin: 'JFK' } }

/** One or more of each clause that the allow-list lets through. All but `match_none` find something. */
export const CLAUSE_EXAMPLES: Readonly<Record<string, readonly object[]>> = {
  match_all: [{ boost: 2 }],
  match_none: [{}],
  bool: [
    { must: { match: { carrier: 'UA AA DL' } }, must_not: [{ ids: { values: ['f1'] } }] },
    { filter: [some], should: [{ match_all: {} }], minimum_should_match: '50%' },
  ],
  constant_score: [{ filter: { terms: { origin: ['JFK', 'LGA'] } }, boost: 2 }],
  dis_max: [{ queries: [{ prefix: { origin: 'J' } }, { exists: { field: 'tailnum' } }], tie_breaker: 0.5 }],
  boosting: [{ positive: { match_all: {} }, negative: some, negative_boost: 0.5 }],
  nested: [{ path: 'legs', query: { term: { 'legs.gate': 'A1' } }, score_mode: 'max' }],
  function_score: [
    {
      query: { match_all: {} },
      functions: [
        { field_value_factor: { field: 'distance', factor: 1.2, modifier: 'log1p', missing: 1 } },
        { gauss: { scheduled_departure: { origin: 'now', scale: '365d', offset: '1d', decay: 0.5 } } },
        { exp: { airport: { origin: { lat: 40, lon: -73 }, scale: '100km' } } },
        { linear: { distance: { origin: 1_000, scale: 500 } } },
        { filter: some, weight: 2 },
        { random_score: { seed: 7, field: '_seq_no' } },
      ],
      score_mode: 'sum',
      boost_mode: 'multiply',
      max_boost: 100,
    },
  ],
  term: [{ origin: 'JFK' }, { origin: { value: 'jfk', case_insensitive: true } }],
  terms: [{ origin: ['JFK', 'LGA'], boost: 2 }],
  range: [
    { scheduled_departure: { gte: '2013-01-01', lt: 'now', time_zone: '+01:00' } },
    { distance: { gt: 0, lte: 100_000 } },
  ],
  exists: [{ field: 'tailnum' }],
  ids: [{ values: ['f1', 'f2'] }],
  prefix: [{ origin: 'J' }, { origin: { value: 'j', case_insensitive: true } }],
  match: [{ carrier: 'UA AA DL' }, { carrier: { query: 'ua', operator: 'and' } }],
  match_phrase: [{ carrier: 'UA' }],
  match_phrase_prefix: [{ carrier: 'U' }],
  match_bool_prefix: [{ carrier: 'U' }],
  multi_match: [{ query: 'UA', fields: ['carrier^2', 'dest'], type: 'best_fields' }],
  combined_fields: [{ query: 'UA', fields: ['carrier', 'dest'] }],
  geo_distance: [{ distance: '10km', airport: { lat: 40.64, lon: -73.78 } }],
  geo_bounding_box: [{ airport: { top_left: { lat: 41, lon: -74 }, bottom_right: { lat: 40, lon: -73 } } }],
  distance_feature: [
    { field: 'scheduled_departure', origin: 'now', pivot: '7d' },
    { field: 'airport', origin: [-73, 40], pivot: '10km' },
  ],
  rank_feature: [
    { field: 'importance' },
    { field: 'importance', saturation: { pivot: 2 } },
    { field: 'importance', log: { scaling_factor: 2 } },
    { field: 'importance', sigmoid: { pivot: 2, exponent: 0.6 } },
    { field: 'importance', linear: {} },
  ],
  knn: [{ field: 'embedding', query_vector: [0.6, 0.8], k: 5, num_candidates: 10, filter: some }],
}
