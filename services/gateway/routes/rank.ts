import { MAX_POOL_SIZE } from '@freshet/config/gateway-rank.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { z } from 'zod'
import type { AppParts } from '../app-parts.ts'
import { Tally } from '../many/tally.ts'
import type { Ranking } from '../rank/ranking.ts'
import { rawPoolQuery } from '../rank/raw-query.ts'
import type { PoolQuery } from '../rank/template.ts'
import { manyReply, type Reply } from '../reply.ts'
import { type Call, tookMs } from './call.ts'
import { readBody } from './read-body.ts'
import type { Route } from './route.ts'
import { answerFields, answerSchema, objectSchema } from './schemas.ts'

const DEFAULT_TOP = 10

const bodySchema = z
  .strictObject({
    template: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .meta({ description: 'Name of a template of gateway.rank.templates.' }),
    parameters: objectSchema.optional().meta({ type: 'object', description: 'Its values, by name.' }),
    query: objectSchema.optional().meta({
      type: 'object',
      description:
        'Instead of a template, a query of Elasticsearch’s own words, as far as docs/gateway.md allows them. Wants the scope rank:raw.',
    }),
    sort: z
      .array(z.unknown())
      .min(1)
      .max(8)
      .optional()
      .meta({ description: 'With `query`: which documents make the pool.' }),
    size: z
      .int()
      .min(1)
      .max(MAX_POOL_SIZE)
      .optional()
      .meta({ description: 'With `query`: documents in the pool, 100 unless said otherwise.' }),
    top: z
      .int()
      .min(1)
      .max(MAX_POOL_SIZE)
      .default(DEFAULT_TOP)
      .meta({ description: 'How many of the best are wanted.' }),
    by: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .meta({ description: 'Output of the model that decides; the first, unless said otherwise.' }),
    order: z
      .enum(['desc', 'asc'])
      .default('desc')
      .meta({ description: 'Which values are the best: the highest, or the lowest.' }),
  })
  .refine(
    ({ template, query }) => (template === undefined) !== (query === undefined),
    'either a template or a query',
  )
  .refine(
    ({ template, sort, size }) => template === undefined || (sort === undefined && size === undefined),
    'sort and size are the template’s',
  )
  .refine(
    ({ query, parameters }) => query === undefined || parameters === undefined,
    'parameters are for templates',
  )
  .meta({ id: 'RankRequest' })

type Body = z.infer<typeof bodySchema>
export type RankRequest = z.input<typeof bodySchema>

const rankingSchema = z
  .strictObject({
    answers: z.array(answerSchema).meta({
      description:
        'The best, the best first. A document without a score comes last, with the default; equal ones keep Elasticsearch’s order.',
    }),
    pool: z
      .strictObject({
        source: z.enum(['elasticsearch', 'last']).meta({
          description: '`last`: Elasticsearch could not be asked, and this is what it named before.',
        }),
        size: z.int().min(0).meta({ description: 'Documents that were ranked.' }),
        age_ms: z.number().min(0).meta({ description: 'Milliseconds since it was asked for.' }),
        as_of: z.iso.datetime().meta({ description: 'The same moment.' }),
      })
      .meta({ description: 'The documents among which the best were looked for.' }),
    unscorable: z.int().min(0).meta({ description: 'Documents of the pool that the model cannot score.' }),
    degraded: z
      .boolean()
      .meta({ description: 'Whether anything in it is: the pool, or any of the answers.' }),
    reason: answerFields.reason,
  })
  .meta({ id: 'Ranking' })

/** What is answered. */
export type RankReply = z.infer<typeof rankingSchema>

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
    body: bodySchema,
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
      const body = await readBody(call, bodySchema, limits.maxBodyBytes)
      const { top, by, order } = body
      const query = queryOf(call, body, rank)
      return rankingReply(call, await rank.ranker.rank({ query, top, by, order }, call.deadline))
    },
  }
}

/** @throws TEMPLATE_UNKNOWN, REQUEST_INVALID, SCOPE_MISSING */
function queryOf(call: Call, body: Body, { templates, index, rawWithoutKeys }: AppParts['rank']): PoolQuery {
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
