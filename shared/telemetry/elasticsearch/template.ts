import type { Client } from '@elastic/elasticsearch'
import { errors } from '@elastic/elasticsearch'
import { translateElasticsearchError } from '@freshet/adapters/elasticsearch/translate.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { type DataStream, dataStream, dataStreamName, SIGNALS } from '../documents/document.ts'
import { type Abilities, askAbilities, IGNORE_BEYOND_LIMIT } from './abilities.ts'
import { connectTelemetry } from './connect.ts'
import { otelMappings } from './mappings.ts'
import { keepDays, type Retention, removeExpired } from './retention.ts'

/**
 * Prepares Elasticsearch for traces, logs and metrics, and puts their retention into force; done again, it changes
 * nothing but what is too old.
 * @throws ELASTICSEARCH_UNREACHABLE, ELASTICSEARCH_UNAUTHORIZED, ELASTICSEARCH_REFUSED
 */
export async function installTemplates(settings: Settings, nowMs: number): Promise<void> {
  await using telemetry = connectTelemetry(settings)
  const { client } = telemetry
  const { retention, namespace } = settings.telemetry
  const abilities = await askAbilities(client)
  for (const type of SIGNALS) {
    const path = `/_index_template/freshet-${type}`
    await request(client, { method: 'PUT', path, body: indexTemplate(type, abilities, retention) })
    if (abilities.dataStreams) await keepStream(client, dataStream(type, namespace), retention)
  }
  if (!abilities.dataStreams) await removeExpired(client, settings.telemetry, { nowMs })
}

export function indexTemplate(
  type: DataStream['type'],
  { dataStreams, types, ignoresBeyondLimit }: Abilities,
  retention: Retention,
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
      ...(dataStreams && { lifecycle: lifecycleOf(type, retention) }),
    },
    _meta: { description: `The ${type} of Freshet, as the OpenTelemetry Collector writes them.` },
  }
}

function lifecycleOf(type: DataStream['type'], retention: Retention) {
  return { data_retention: `${keepDays(type, retention)}d` }
}

/** A template is for what is made from now on: one that is there already is told by itself. */
async function keepStream(client: Client, stream: DataStream, retention: Retention): Promise<void> {
  const path = `/_data_stream/${dataStreamName(stream)}/_lifecycle`
  const body = lifecycleOf(stream.type, retention)
  await request(client, { method: 'PUT', path, body, absentIsFine: true })
}

interface Request {
  readonly method: string
  readonly path: string
  readonly body: object
  readonly absentIsFine?: boolean
}

async function request(client: Client, { method, path, body, absentIsFine = false }: Request): Promise<void> {
  try {
    await client.transport.request({ method, path, body })
  } catch (error) {
    if (absentIsFine && error instanceof errors.ResponseError && error.statusCode === 404) return
    throw translateElasticsearchError(error, `${method} ${path}`)
  }
}
