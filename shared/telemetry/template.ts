import type { Client } from '@elastic/elasticsearch'
import { errors } from '@elastic/elasticsearch'
import { translateElasticsearchError } from '@freshet/adapters/elasticsearch/translate.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { connectTelemetry } from './connect.ts'
import { type DataStream, dataStream, dataStreamName } from './documents.ts'
import { fieldOf, OPTIONAL_TYPES, type OptionalType, otelMappings } from './mappings.ts'

/** What the server can do, found by asking it and not by its version. */
export interface Abilities {
  readonly dataStreams: boolean
  readonly types: ReadonlySet<OptionalType>
  /** Fields beyond the limit of an index are left out of it, instead of the whole document. */
  readonly ignoresBeyondLimit: boolean
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

export function indexTemplate(
  type: DataStream['type'],
  { dataStreams, types, ignoresBeyondLimit }: Abilities,
): object {
  return {
    index_patterns: [dataStreamName(dataStream(type, '*'))],
    priority: 250, // above the stock templates, which share the pattern
    ...(dataStreams && { data_stream: {} }),
    template: {
      settings: {
        'index.auto_expand_replicas': '0-1',
        'index.refresh_interval': '5s',
        'index.mapping.ignore_malformed': true,
        ...(ignoresBeyondLimit && IGNORE_BEYOND_LIMIT),
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
    if (await simulates(client, { mappings: { properties: { field: fieldOf(type) } } })) types.add(type)
  const ignoresBeyondLimit = await simulates(client, { settings: IGNORE_BEYOND_LIMIT })
  return { dataStreams, types, ignoresBeyondLimit }
}

const IGNORE_BEYOND_LIMIT = { 'index.mapping.total_fields.ignore_dynamic_beyond_limit': true }

/** Would the server take such a template? It is only tried. */
function simulates(client: Client, template: object): Promise<boolean> {
  const body = { index_patterns: ['freshet-probe-*'], priority: 250, template }
  return accepts(client, { method: 'POST', path: '/_index_template/_simulate', body })
}

interface Request {
  readonly method: string
  readonly path: string
  readonly body?: object
}

/** What a server answers to whoever uses an ability that it lacks; 405 where it knows the path by other methods. */
const LACKING: ReadonlySet<number | undefined> = new Set([400, 404, 405])

async function accepts(client: Client, { method, path, body }: Request): Promise<boolean> {
  try {
    await client.transport.request({ method, path, ...(body && { body }) })
    return true
  } catch (error) {
    if (error instanceof errors.ResponseError && LACKING.has(error.statusCode)) return false
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
