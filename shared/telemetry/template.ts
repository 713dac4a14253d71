import type { Client } from '@elastic/elasticsearch'
import { errors } from '@elastic/elasticsearch'
import { translateElasticsearchError } from '@freshet/adapters/elasticsearch/translate.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { connectTelemetry } from './connect.ts'
import { type DataStream, dataStream, dataStreamName } from './documents.ts'
import { OPTIONAL_TYPES, type OptionalType, otelMappings } from './mappings.ts'

/** What the server can do, found by asking it and not by its version. */
export interface Abilities {
  readonly dataStreams: boolean
  readonly types: ReadonlySet<OptionalType>
}

export interface InstalledTemplates {
  readonly templates: readonly string[]
  /** For people: how long traces and logs are kept on this server. */
  readonly retention: string
}

/** In force where the server has data streams; plain indices keep everything until someone deletes it. */
const RETENTION = { traces: '7d', logs: '30d' } as const

/**
 * Prepares Elasticsearch for traces and logs; done again, it changes nothing.
 * @throws ELASTICSEARCH_UNREACHABLE, ELASTICSEARCH_UNAUTHORIZED, ELASTICSEARCH_REFUSED
 */
export async function installTemplates(settings: Settings): Promise<InstalledTemplates> {
  await using telemetry = connectTelemetry(settings)
  const abilities = await askAbilities(telemetry.client)
  const templates: string[] = []
  for (const type of ['traces', 'logs'] as const) {
    const name = `freshet-${type}`
    const path = `/_index_template/${name}`
    await request(telemetry.client, { method: 'PUT', path, body: indexTemplate(type, abilities) })
    templates.push(name)
  }
  const { traces, logs } = RETENTION
  const retention = abilities.dataStreams
    ? `traces ${traces}, logs ${logs}`
    : 'everything: this server has no data streams, so delete old documents by hand'
  return { templates, retention }
}

export function indexTemplate(type: DataStream['type'], { dataStreams, types }: Abilities): object {
  return {
    index_patterns: [dataStreamName(dataStream(type, '*'))],
    priority: 250, // above the stock templates, which share the pattern
    ...(dataStreams && { data_stream: {} }),
    template: {
      settings: {
        'index.auto_expand_replicas': '0-1',
        'index.refresh_interval': '5s',
        'index.mapping.ignore_malformed': true,
        'index.mapping.total_fields.ignore_dynamic_beyond_limit': true,
      },
      mappings: otelMappings(types),
      ...(dataStreams && { lifecycle: { data_retention: RETENTION[type] } }),
    },
    _meta: { description: 'Traces and logs of Freshet, as the OpenTelemetry Collector writes them.' },
  }
}

async function askAbilities(client: Client): Promise<Abilities> {
  const dataStreams = await accepts(client, { method: 'GET', path: '/_data_stream/traces-freshet.otel-*' })
  const types = new Set<OptionalType>()
  for (const type of OPTIONAL_TYPES)
    if (await accepts(client, { method: 'POST', path: '/_index_template/_simulate', body: probe(type) }))
      types.add(type)
  return { dataStreams, types }
}

/** A template that is only tried, with one field of the type in question. */
function probe(type: OptionalType): object {
  const mappings = { properties: { field: { type } } }
  return { index_patterns: ['freshet-probe-*'], priority: 250, template: { mappings } }
}

interface Request {
  readonly method: string
  readonly path: string
  readonly body?: object
}

/** A server without an ability answers 400 or 404 to whoever uses it. */
async function accepts(client: Client, { method, path, body }: Request): Promise<boolean> {
  try {
    await client.transport.request({ method, path, ...(body && { body }) })
    return true
  } catch (error) {
    if (error instanceof errors.ResponseError && (error.statusCode === 400 || error.statusCode === 404))
      return false
    throw translateElasticsearchError(error, `asking ${path}`)
  }
}

async function request(client: Client, { method, path, body }: Request): Promise<void> {
  try {
    await client.transport.request({ method, path, ...(body && { body }) })
  } catch (error) {
    throw translateElasticsearchError(error, `${method} ${path}`)
  }
}
