import { FreshetError } from '@freshet/errors/errors.ts'
import type { AppParts } from '../app-parts.ts'
import { Tally } from '../many/tally.ts'
import type { Ranking } from '../rank/ranking.ts'
import { rawPoolQuery } from '../rank/raw-query.ts'
import type { PoolQuery } from '../rank/template.ts'
import { manyReply, type Reply } from '../reply.ts'
import { type Call, tookMs } from './call.ts'
import { type CheckedRankRequest, rankingSchema, rankRequestSchema } from './rank-schema.ts'
import { readBody } from './read-body.ts'
import type { Route } from './route.ts'

/** `POST /v1/rank`: a pool of documents from Elasticsearch, scored now, and the best of it. */
export function rankRoute({ rank, limits }: Pick<AppParts, 'rank' | 'limits'>): Route {
  return {
    method: 'POST',
    path: '/v1/rank',
    access: 'rank',
    id: 'rank',
    summary: 'The best documents of a query',
    description:
      'Elasticsearch names a pool of documents by a template of the configuration and the values sent along, the promoted model scores all of them now, and the best are answered. When the model cannot in time, the stored scores decide; when Elasticsearch cannot, the last pool of the same query is ranked. Without any pool it is 503, since an empty ranking would say that there are no such documents.',
    body: rankRequestSchema,
    replies: {
      200: {
        description: 'The best.',
        mediaType: 'application/json',
        schema: rankingSchema,
        hasAnswerHeaders: true,
      },
    },
    errors: ['TEMPLATE_UNKNOWN', 'SCOPE_MISSING', 'POOL_UNKNOWN'],
    async handle(call) {
      const body = await readBody(call, rankRequestSchema, limits.maxBodyBytes)
      const { top, by, order } = body
      const query = queryOf(call, body, rank)
      return rankingReply(call, await rank.ranker.rank({ query, top, by, order }, call.deadline))
    },
  }
}

/** @throws TEMPLATE_UNKNOWN, REQUEST_INVALID, SCOPE_MISSING */
function queryOf(
  call: Call,
  body: CheckedRankRequest,
  { templates, index, rawWithoutKeys }: AppParts['rank'],
): PoolQuery {
  const { template: name, parameters = {}, query, sort, size } = body
  if (query === undefined) {
    const template = templates.get(name!)
    if (template !== undefined) return template.fill(parameters)
    const known = [...templates.keys()].join(', ') || 'none'
    throw new FreshetError('TEMPLATE_UNKNOWN', `no template of that name; there are: ${known}`)
  }
  const { caller } = call
  if (caller.name === null ? !rawWithoutKeys : !caller.may('rank:raw'))
    throw new FreshetError(
      'SCOPE_MISSING',
      caller.name === null
        ? 'queries of the caller’s own want a key with the scope rank:raw, or gateway.rank.rawWithoutKeys'
        : `the key of ${caller.name} is not for rank:raw`,
    )
  return rawPoolQuery({ query, sort, size }, index)
}

function rankingReply(call: Call, { items, size, unscorable, pool, degraded, reason }: Ranking): Reply {
  const tally = new Tally(items.length)
  for (const answer of items) {
    tally.add(answer)
    call.gives(answer.key, answer)
  }
  if (reason !== undefined) tally.because(reason)
  call.answered = tally
  const body = {
    answers: items,
    pool: {
      source: pool.source,
      size,
      age_ms: pool.ageMs,
      as_of: new Date(pool.seenAtMs).toISOString(),
    },
    unscorable,
    degraded,
    reason,
  }
  return manyReply(JSON.stringify(body), tally, tookMs(call))
}
