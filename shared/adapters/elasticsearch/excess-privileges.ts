import { type Client, errors } from '@elastic/elasticsearch'
import type { Settings } from '@freshet/config/schema.ts'
import { z } from 'zod'
import { inShape } from './ask.ts'
import { translateElasticsearchError } from './translate.ts'

const DOING = 'asking for the privileges of this user'

/** What nothing in Freshet does with the documents that it captures. */
const CLUSTER = ['manage_security', 'manage'] as const
const INDEX = ['write', 'delete_index', 'manage'] as const

/**
 * What this user may do beyond what capture needs, as Elasticsearch says itself: any user may ask for that.
 * @returns names of privileges; empty where the server has no security, or does not answer such a question
 * @throws ELASTICSEARCH_UNREACHABLE, ELASTICSEARCH_UNAUTHORIZED for a user who is not known
 */
export async function excessPrivileges(
  client: Client,
  { index }: Pick<Settings['elasticsearch'], 'index'>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    const given = await client.transport.request(
      {
        method: 'POST',
        path: '/_security/user/_has_privileges',
        body: { cluster: CLUSTER, index: [{ names: index.split(','), privileges: INDEX }] },
      },
      { signal },
    )
    const answer = inShape(answerSchema, given, DOING)
    const everyIndex = Object.values(answer.index ?? {})
    return [
      ...CLUSTER.filter((name) => answer.cluster?.[name] === true).map((name) => `${name} of the cluster`),
      ...INDEX.filter((name) => everyIndex.some((held) => held[name] === true)).map(
        (name) => `${name} on ${index}`,
      ),
    ]
  } catch (error) {
    if (error instanceof errors.ResponseError && error.statusCode !== 401) return []
    throw translateElasticsearchError(error, DOING)
  }
}

const heldSchema = z.record(z.string(), z.boolean())

const answerSchema = z.object({
  cluster: heldSchema.optional(),
  /** By name as it was asked for. */
  index: z.record(z.string(), heldSchema).optional(),
})
