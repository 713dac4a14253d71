import type { Client } from '@elastic/elasticsearch'
import { translateElasticsearchError } from '@freshet/adapters/elasticsearch/translate.ts'
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
  const reason = refused === undefined ? answer.error : `in ${refused.index}: ${refused.error}`
  const setting = settings.filter === undefined ? 'softDeleteField' : 'filter'
  throw new FreshetError('CONFIG_INVALID', `elasticsearch.${setting}: refused by Elasticsearch ${reason}`)
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
