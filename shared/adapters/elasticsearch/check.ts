import { type Client, errors } from '@elastic/elasticsearch'
import { FreshetError } from '@freshet/errors/errors.ts'
import { listed } from '@freshet/stage/listed.ts'
import { z } from 'zod'
import { inShape } from './ask.ts'
import { type IndexChoice, type JudgedIndex, judgeIndices } from './judge-indices.ts'
import { type MissingPrivilege, missingPrivileges } from './privileges.ts'
import { translateElasticsearchError } from './translate.ts'

/**
 * What must hold before capture starts: the server answers and lets us in, the role allows every call that capture
 * makes, and there is an index that can be captured.
 *
 * One index of a pattern that cannot be captured is no error: the others should not wait for it, and as it may come to
 * the pattern at any time, the same must hold while capture runs. It is left out, and said so wherever someone looks.
 * A missing privilege is one, also for a single index: it is a mistake in the role or in the name.
 * @returns all indices behind the name, those that cannot be captured with the reason
 * @throws ELASTICSEARCH_UNREACHABLE, ELASTICSEARCH_UNAUTHORIZED, INDEX_MISSING, INDEX_NOT_CAPTURABLE
 */
export async function checkCapturable(
  client: Client,
  choice: IndexChoice,
  signal: AbortSignal,
): Promise<readonly JudgedIndex[]> {
  if (choice.mode === 'seqNo') await refuseServerless(client, signal)
  const missing = await missingPrivileges(client, choice, signal)
  if (missing.length > 0)
    throw new FreshetError(
      'ELASTICSEARCH_UNAUTHORIZED',
      `the role lacks ${missing.map(nameMissing).join('; ')}`,
    )
  const indices = await judgeIndices(client, choice, signal)
  if (indices.length === 0) throw new FreshetError('INDEX_MISSING', `no index matches ${choice.index}`)
  if (indices.every(({ verdict }) => verdict === 'refused'))
    throw new FreshetError('INDEX_NOT_CAPTURABLE', indices.map(({ reason }) => reason).join('; '))
  return indices
}

async function refuseServerless(client: Client, signal: AbortSignal): Promise<void> {
  if ((await flavorOf(client, signal)) === 'serverless')
    throw new FreshetError(
      'INDEX_NOT_CAPTURABLE',
      'Elasticsearch Serverless shows neither shards nor checkpoints: use a deployment with nodes, or set elasticsearch.mode to timestamp, which promises less (see docs/capture.md)',
    )
}

/** undefined where the server does not say: the small distribution does not know the request, a role may not allow it. */
async function flavorOf(client: Client, signal: AbortSignal): Promise<string | undefined> {
  const doing = 'asking Elasticsearch for its kind'
  try {
    return inShape(infoSchema, await client.info({}, { signal }), doing).version?.build_flavor
  } catch (error) {
    if (error instanceof errors.ResponseError && SILENT.has(error.statusCode ?? 0)) return undefined
    throw translateElasticsearchError(error, doing)
  }
}

const infoSchema = z.object({ version: z.object({ build_flavor: z.string().optional() }).optional() })

const SILENT = new Set([403, 404, 405])

function nameMissing({ privilege, indices }: MissingPrivilege): string {
  return indices.length === 0 ? privilege : `${privilege} on ${listed(indices)}`
}
