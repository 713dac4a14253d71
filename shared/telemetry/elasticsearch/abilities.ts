import type { Client } from '@elastic/elasticsearch'
import { errors } from '@elastic/elasticsearch'
import { translateElasticsearchError } from '@freshet/adapters/elasticsearch/translate.ts'
import { fieldOf, OPTIONAL_TYPES, type OptionalType } from './mappings.ts'

/** What the server can do, found by asking it and not by its version. */
export interface Abilities {
  readonly dataStreams: boolean
  readonly types: ReadonlySet<OptionalType>
  /** Fields beyond the limit of an index are left out of it, instead of the whole document. */
  readonly ignoresBeyondLimit: boolean
}

export const IGNORE_BEYOND_LIMIT = { 'index.mapping.total_fields.ignore_dynamic_beyond_limit': true }

/** @throws ELASTICSEARCH_UNREACHABLE, ELASTICSEARCH_UNAUTHORIZED, ELASTICSEARCH_REFUSED */
export async function askAbilities(client: Client): Promise<Abilities> {
  const dataStreams = await hasDataStreams(client)
  const types = new Set<OptionalType>()
  for (const type of OPTIONAL_TYPES)
    if (await simulates(client, { mappings: { properties: { field: fieldOf(type) } } })) types.add(type)
  const ignoresBeyondLimit = await simulates(client, { settings: IGNORE_BEYOND_LIMIT })
  return { dataStreams, types, ignoresBeyondLimit }
}

/**
 * Whoever may only write is not told which data streams there are, but that there is such a thing.
 * @throws ELASTICSEARCH_UNREACHABLE, ELASTICSEARCH_UNAUTHORIZED, ELASTICSEARCH_REFUSED
 */
export async function hasDataStreams(client: Client, signal?: AbortSignal): Promise<boolean> {
  const path = '/_data_stream/traces-freshet.otel-*'
  try {
    await client.transport.request({ method: 'GET', path }, { ...(signal && { signal }) })
    return true
  } catch (error) {
    if (error instanceof errors.ResponseError && error.statusCode === 403) return true
    return lacks(error, path)
  }
}

/** Would the server take such a template? It is only tried. */
async function simulates(client: Client, template: object): Promise<boolean> {
  const path = '/_index_template/_simulate'
  const body = { index_patterns: ['freshet-probe-*'], priority: 250, template }
  try {
    await client.transport.request({ method: 'POST', path, body })
    return true
  } catch (error) {
    return lacks(error, path)
  }
}

/** What a server answers to whoever uses an ability that it lacks; 405 where it knows the path by other methods. */
const LACKING: ReadonlySet<number | undefined> = new Set([400, 404, 405])

/** @returns false when the answer says so. @throws what else went wrong */
function lacks(error: unknown, path: string): false {
  if (error instanceof errors.ResponseError && LACKING.has(error.statusCode)) return false
  throw translateElasticsearchError(error, `asking ${path}`)
}
