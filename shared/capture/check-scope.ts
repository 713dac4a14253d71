import { type Client, errors } from '@elastic/elasticsearch'
import {
  causeReasonOf,
  type Problem,
  translateElasticsearchError,
} from '@freshet/adapters/elasticsearch/translate.ts'
import { validateQuery } from '@freshet/adapters/elasticsearch/validate-query.ts'
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
  const doing = `checking elasticsearch.filter against ${settings.index}`
  const answer = await validateQuery(client, settings.index, { query, doing, signal })
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
