import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { excessPrivileges } from '@freshet/adapters/elasticsearch/excess-privileges.ts'
import { tryRedisAccess } from '@freshet/adapters/redis/access.ts'
import { mayListBuckets } from '@freshet/adapters/s3/s3-bucket.ts'
import { isLoopback } from '@freshet/config/loopback.ts'
import type { Settings } from '@freshet/config/schema.ts'

/**
 * What the users of these settings may do that nothing in Freshet does. Servers on loopback are left out: they are those
 * of `freshet up`, which let everyone do everything. A server that does not answer is told of by the check of it.
 */
export async function excessRights(settings: Settings, signal: AbortSignal): Promise<string[]> {
  const { elasticsearch, redis, s3, pipeline } = settings
  const looks = [
    isAway(elasticsearch.url) ? elasticsearchRights(elasticsearch, signal) : [],
    isAway(redis.url) ? redisRights(redis, pipeline) : [],
    s3.endpoint === undefined || isAway(s3.endpoint) ? s3Rights(s3, signal) : [],
  ]
  const told = await Promise.allSettled(looks)
  return told.flatMap((look) => (look.status === 'fulfilled' ? look.value : []))
}

export async function elasticsearchRights(
  settings: Settings['elasticsearch'],
  signal: AbortSignal,
): Promise<string[]> {
  await using client = connectElasticsearch(settings)
  const excess = await excessPrivileges(client, settings, signal)
  return tell(excess, 'Elasticsearch: this user also has', 'infra/access/elasticsearch/capture.json')
}

export async function redisRights(redis: Settings['redis'], pipeline: string): Promise<string[]> {
  const { beyond } = await tryRedisAccess(redis, pipeline)
  return tell(beyond, 'Redis: this user may also', 'infra/access/redis.acl')
}

export async function s3Rights(s3: Settings['s3'], signal: AbortSignal): Promise<string[]> {
  const excess = (await mayListBuckets(s3, signal)) ? ['list all buckets of the account'] : []
  return tell(excess, 'S3: this key may also', 'infra/access/s3')
}

function tell(excess: readonly string[], begin: string, file: string): string[] {
  return excess.length === 0 ? [] : [`${begin} ${excess.join(', ')}; what is needed stands in ${file}`]
}

function isAway(url: string): boolean {
  const { hostname } = new URL(url)
  return !isLoopback(hostname.replace(/^\[|\]$/g, ''))
}
