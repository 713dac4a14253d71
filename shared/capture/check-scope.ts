import { type Client, errors } from '@elastic/elasticsearch'
import {
  causeReasonOf,
  type Problem,
  translateElasticsearchError,
} from '@freshet/adapters/elasticsearch/translate.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { scopeOf } from './scope.ts'

/**
 * Asks Elasticsearch whether it takes the scope's query, for each index: what it refuses here would stop every scan.
 * @throws CONFIG_INVALID with what is wrong, and in which index
 */
export async function checkScope(
  client: Client,
  settings: Settings['elasticsearch'],
  signal: AbortSignal,
): Promise<void> {
  const { query } = scopeOf(settings)
  if (query === undefined) return
  const answer = await validate(client, settings.index, { query, signal })
  if (answer.valid) return
  const refused = answer.explanations?.find(({ valid }) => !valid)
  const reason = await whyRefused(client, refused?.index ?? settings.index, { query, signal })
  const setting = settings.filter === undefined ? 'softDeleteField' : 'filter'
  const where = refused === undefined ? '' : ` in ${refused.index}`
  throw new FreshetError(
    'CONFIG_INVALID',
    `elasticsearch.${setting}: refused by Elasticsearch${where}: ${reason ?? refused?.error ?? answer.error}`,
  )
}

/**
 * A validation tells why in a text that is full of the names of Java classes; a search has it as a reason of its own.
 * @returns undefined where the search does not say
 */
async function whyRefused(
  client: Client,
  index: string,
  { query, signal }: { query: object; signal: AbortSignal },
): Promise<string | undefined> {
  try {
    await client.search(
      { index, query, size: 0, terminate_after: 1, allow_partial_search_results: false },
      { signal },
    )
    return undefined
  } catch (error) {
    if (!(error instanceof errors.ResponseError))
      throw translateElasticsearchError(error, `checking the scope against ${index}`)
    return error.statusCode === 400 ? causeReasonOf(error.body as Problem) : undefined
  }
}

interface Validation {
  readonly valid: boolean
  readonly error?: string
  readonly explanations?: readonly {
    readonly index: string
    readonly valid: boolean
    readonly error?: string
  }[]
}

async function validate(
  client: Client,
  index: string,
  { query, signal }: { query: object; signal: AbortSignal },
): Promise<Validation> {
  const path = `/${encodeURIComponent(index)}/_validate/query`
  try {
    return await client.transport.request<Validation>(
      { method: 'POST', path, querystring: { explain: true }, body: { query } },
      { signal },
    )
  } catch (error) {
    throw translateElasticsearchError(error, `checking elasticsearch.filter against ${index}`)
  }
}
