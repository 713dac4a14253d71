/**
 * How Elasticsearch should understand the documents: the fields of its stock templates for OpenTelemetry, in the types
 * that the server at hand has.
 */
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { labelAttribute, METRICS, type MetricSpec } from '../metrics-table.ts'

type Mapping = Readonly<Record<string, unknown>>

const KEYWORD: Mapping = { type: 'keyword', ignore_above: 1024 }

/** Types that small distributions or old versions lack, each with what stands in for it there. */
const STAND_INS = {
  constant_keyword: KEYWORD,
  flattened: { type: 'object', enabled: false },
  histogram: { type: 'flattened', index: false }, // to be read, not to be searched
  match_only_text: { type: 'text' },
  passthrough: { type: 'object' },
  version: KEYWORD,
  wildcard: { type: 'text' },
} as const satisfies Record<string, Mapping>

export type OptionalType = keyof typeof STAND_INS
export const OPTIONAL_TYPES = Object.keys(STAND_INS) as readonly OptionalType[]

/** A field that can only be mapped where the server has the type. */
export function fieldOf(type: OptionalType): Mapping {
  return type === 'passthrough' ? { type, priority: 1 } : { type }
}

/**
 * All three signals share them: a field that a signal has not costs nothing.
 * @param types what the server has of OPTIONAL_TYPES
 */
export function otelMappings(types: ReadonlySet<OptionalType>): Mapping {
  const best = (type: OptionalType): Mapping => (types.has(type) ? { type } : STAND_INS[type])
  /** Attributes answer under their own names too, where the server can do that; on a clash the lower priority yields. */
  const passthrough = (priority: number, properties: Mapping): Mapping => ({
    ...{ ...best('passthrough'), dynamic: true, properties },
    ...(types.has('passthrough') && { priority }),
  })
  return {
    dynamic: false,
    date_detection: false,
    dynamic_templates: dynamicTemplates(types),
    properties: {
      // A document whose time is malformed would be in no time range: refuse it.
      '@timestamp': { type: 'date', ignore_malformed: false },
      observed_timestamp: { type: 'date_nanos' },
      start_timestamp: { type: 'date' },
      data_stream: {
        properties: {
          type: best('constant_keyword'),
          dataset: best('constant_keyword'),
          namespace: best('constant_keyword'),
        },
      },
      ...Object.fromEntries(KEYWORDS.map((name) => [name, KEYWORD])),
      ...Object.fromEntries(COUNTS.map((name) => [name, { type: 'long' }])),
      duration: { type: 'long', meta: { unit: 'nanos' } },
      severity_number: { type: 'byte' },
      status: { properties: { code: KEYWORD, message: KEYWORD } },
      body: { properties: { text: best('match_only_text'), structured: best('flattened') } },
      links: { properties: linkFields(types) },
      attributes: passthrough(20, {
        ...(types.has('passthrough') && KNOWN_BEFOREHAND),
        [ATTRIBUTES.exceptionStacktrace]: best('wildcard'),
      }),
      metrics: metricFields(types),
      scope: {
        properties: {
          name: KEYWORD,
          version: best('version'),
          schema_url: KEYWORD,
          attributes: passthrough(30, {}),
        },
      },
      resource: {
        properties: {
          schema_url: KEYWORD,
          attributes: passthrough(40, { 'deployment.environment.name': KEYWORD, 'service.name': KEYWORD }),
        },
      },
      ...aliases(),
    },
  }
}

function linkFields(types: ReadonlySet<OptionalType>): Mapping {
  return {
    trace_id: KEYWORD,
    span_id: KEYWORD,
    trace_state: KEYWORD,
    attributes: {
      ...{ type: 'object', dynamic: true },
      ...(types.has('passthrough') && { subobjects: false }), // older than the type, younger than 7.17
    },
  }
}

/**
 * What our views in Kibana ask for: where no document has such an attribute yet, a picture would stand there with "field
 * not found", and with the best of reasons, such as no error so far.
 */
const KNOWN_BEFOREHAND: Mapping = {
  ...Object.fromEntries(
    [
      ATTRIBUTES.errorType,
      ATTRIBUTES.hint,
      ATTRIBUTES.stage,
      ATTRIBUTES.model,
      ATTRIBUTES.key,
      ATTRIBUTES.field,
      ATTRIBUTES.documentStep,
      ATTRIBUTES.documentState,
      ATTRIBUTES.answerSource,
      ATTRIBUTES.answerReason,
      ...Object.values<MetricSpec>(METRICS).flatMap(({ label }) => (label ? [labelAttribute(label)] : [])),
    ].map((name) => [name, KEYWORD]),
  ),
  [ATTRIBUTES.answerDegraded]: { type: 'boolean' },
  [ATTRIBUTES.answerLate]: { type: 'boolean' },
  [ATTRIBUTES.documentAgeMs]: { type: 'long' },
  [ATTRIBUTES.messagingBatchMessages]: { type: 'long' },
}

/**
 * Each by the table: found by itself, a gauge that happened to be whole at first would be cut down to whole numbers for
 * good. Names hold one another (`freshet.answers`, `freshet.answers.degraded`), which only passthrough can hold: a server
 * without it keeps metrics for reading, not for searching.
 */
function metricFields(types: ReadonlySet<OptionalType>): Mapping {
  if (!types.has('passthrough')) return { type: 'object', enabled: false }
  const fieldOfKind = {
    counter: { type: 'long' },
    gauge: { type: 'double' },
    histogram: types.has('histogram') ? { type: 'histogram' } : STAND_INS.histogram,
  }
  const properties = Object.entries<MetricSpec>(METRICS).map(([name, { kind, unit }]) => [
    name,
    kind === 'histogram' ? fieldOfKind[kind] : { ...fieldOfKind[kind], meta: { unit } },
  ])
  return { type: 'passthrough', dynamic: true, priority: 10, properties: Object.fromEntries(properties) }
}

const KEYWORDS = [
  'trace_id',
  'span_id',
  'parent_span_id',
  'trace_state',
  'name',
  'kind',
  'event_name',
  'severity_text',
  'unit',
  '_metric_names_hash',
]

const COUNTS = ['dropped_attributes_count', 'dropped_events_count', 'dropped_links_count']

const ATTRIBUTE_PATHS = ['attributes.*', 'resource.attributes.*', 'scope.attributes.*']

/**
 * Without the rule for strings an attribute would be text, which cannot be aggregated under its own name. Without
 * passthrough, a name with dots is a path of objects: then these are no attributes, and must stay objects. One rule a
 * path: old versions take a list of paths for one path with brackets.
 */
function dynamicTemplates(types: ReadonlySet<OptionalType>): readonly Mapping[] {
  const rules = (name: string, paths: readonly string[], match_mapping_type: string, mapping: Mapping) =>
    paths.map((path_match) => ({ [`${name} of ${path_match}`]: { path_match, match_mapping_type, mapping } }))
  return [
    ...collectorTemplates(types),
    ...(types.has('passthrough') ? rules('objects', ATTRIBUTE_PATHS, 'object', { type: 'flattened' }) : []),
    ...rules('strings', [...ATTRIBUTE_PATHS, 'links.attributes.*'], 'string', KEYWORD),
  ]
}

/**
 * The Collector's exporter names one of these for each metric of a document, and Elasticsearch refuses a document that
 * names one which is not there. They match nothing by themselves.
 */
function collectorTemplates(types: ReadonlySet<OptionalType>): readonly Mapping[] {
  if (!types.has('passthrough')) return []
  const named = {
    gauge_long: { type: 'long' },
    counter_long: { type: 'long' },
    gauge_double: { type: 'double' },
    counter_double: { type: 'double' },
    histogram: types.has('histogram') ? { type: 'histogram' } : STAND_INS.histogram,
  }
  return Object.entries(named).map(([name, mapping]) => ({ [name]: { mapping } }))
}

/** The names that Kibana's views and people with older data look for. */
function aliases(): Mapping {
  const paths = {
    'trace.id': 'trace_id',
    'span.id': 'span_id',
    'parent.id': 'parent_span_id',
    'span.name': 'name',
    'log.level': 'severity_text',
    message: 'body.text',
    'event.dataset': 'data_stream.dataset',
    'service.environment': 'resource.attributes.deployment.environment.name',
  }
  return Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, { type: 'alias', path }]))
}
