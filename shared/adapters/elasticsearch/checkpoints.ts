import type { Readable } from 'node:stream'
import type { Client } from '@elastic/elasticsearch'
import { FreshetError } from '@freshet/errors/errors.ts'
import { refusal, translateElasticsearchError } from './translate.ts'

/**
 * The cheap question whether anything has moved: which indices are open, which copies of their shards are where, and
 * the global checkpoint of each. As bytes, since they are only compared with those of another moment: the same bytes
 * say that nothing has moved between the two.
 */
export async function readCheckpoints(client: Client, index: string, signal: AbortSignal): Promise<Buffer> {
  const doing = `reading the checkpoints of ${index}`
  try {
    const { statusCode, body } = await client.transport.request<Readable>(
      { method: 'GET', path: `/${encodeURIComponent(index)}/_stats/get`, querystring: CHECKPOINTS_QUERY },
      { signal, asStream: true, meta: true },
    )
    const bytes = await bytesOf(body, { doing, signal })
    if (statusCode === 200) return bytes
    throw refusal(statusCode, undefined, doing)
  } catch (error) {
    throw translateElasticsearchError(error, doing)
  }
}

/** What breaks off in the middle, or takes too long to come, is a server that does not answer, whatever the stream says. */
async function bytesOf(
  body: Readable,
  { doing, signal }: { readonly doing: string; readonly signal: AbortSignal },
): Promise<Buffer> {
  try {
    return Buffer.concat(await body.toArray({ signal }))
  } catch (cause) {
    throw new FreshetError('ELASTICSEARCH_UNREACHABLE', `${doing}: the answer broke off: ${cause}`, { cause })
  }
}

/** What a look asks of `_stats/get`: as little as says how far each shard is. */
export const CHECKPOINTS_QUERY = {
  level: 'shards',
  ignore_unavailable: true,
  filter_path:
    'indices.*.uuid,indices.*.shards.*.routing.primary,indices.*.shards.*.routing.node,indices.*.shards.*.seq_no.global_checkpoint,indices.*.shards.*.retention_leases.primary_term',
}
