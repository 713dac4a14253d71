import type { Client } from '@elastic/elasticsearch'
import { translateElasticsearchError } from '@freshet/adapters/elasticsearch/translate.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { dataStream, dataStreamName } from '@freshet/telemetry/documents/document.ts'
import { DocumentNames } from '@freshet/telemetry/traced/document-names.ts'
import type { SeenStep } from './journey.ts'

/** The newest of them: more than a person reads. */
const MAX_STEPS = 500

/**
 * The spans that one document has left, as far as Elasticsearch shows them.
 * @throws ELASTICSEARCH_UNREACHABLE, ELASTICSEARCH_UNAUTHORIZED, ELASTICSEARCH_REFUSED
 */
export async function readSteps(
  client: Client,
  { pipeline, telemetry }: Pick<Settings, 'pipeline' | 'telemetry'>,
  key: string,
  signal: AbortSignal,
): Promise<SeenStep[]> {
  const index = `${dataStreamName(dataStream('traces', telemetry.namespace))}*`
  const missing = { allow_no_indices: true, ignore_unavailable: true }
  const shown = new DocumentNames(pipeline, telemetry.keySalt).shown(key)
  const query = {
    bool: {
      filter: [
        { term: { [`attributes.${ATTRIBUTES.key}`]: shown } },
        { term: { [`attributes.${ATTRIBUTES.pipeline}`]: pipeline } },
        { exists: { field: `attributes.${ATTRIBUTES.documentStep}` } },
      ],
    },
  }
  try {
    // Without it the last five seconds are not shown; who may only read sees them later.
    await client.indices.refresh({ index, ...missing }, { signal }).catch(() => {})
    const sort = [{ '@timestamp': { order: 'desc' as const, unmapped_type: 'date' as const } }]
    const found = await client.search<SpanDocument>(
      { index, ...missing, query, sort, size: MAX_STEPS },
      { signal },
    )
    return found.hits.hits.flatMap(({ _source }) => (_source === undefined ? [] : stepOf(_source)))
  } catch (error) {
    throw translateElasticsearchError(error, 'reading traces')
  }
}

/** What our own exporter and the Collector write. */
interface SpanDocument {
  readonly '@timestamp': string
  readonly trace_id: string
  readonly span_id: string
  readonly duration: number
  readonly attributes: Readonly<Record<string, string | number | boolean>>
  readonly status: { readonly message?: string }
  readonly resource: { readonly attributes?: Readonly<Record<string, string>> }
}

function stepOf({ attributes, resource, status, ...span }: SpanDocument): SeenStep {
  const code = attributes[ATTRIBUTES.errorType]
  return {
    step: String(attributes[ATTRIBUTES.documentStep]),
    traceId: span.trace_id,
    spanId: span.span_id,
    beganAtMs: Number(span['@timestamp']),
    tookMs: span.duration / 1e6,
    ageMs: Number(attributes[ATTRIBUTES.documentAgeMs] ?? 0),
    service: resource.attributes?.['service.name'] ?? '',
    instance: resource.attributes?.['service.instance.id'] ?? '',
    failure: code === undefined ? null : { code: String(code), message: status.message ?? '' },
    attributes,
  }
}
