import { MAX_POOL_SIZE } from '@freshet/config/gateway-rank.ts'
import { z } from 'zod'
import { answerFields, answerSchema, objectSchema } from './schemas.ts'

const DEFAULT_TOP = 10

export const rankRequestSchema = z
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

export type CheckedRankRequest = z.infer<typeof rankRequestSchema>
/** As callers write it. */
export type RankRequest = z.input<typeof rankRequestSchema>

export const rankingSchema = z
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
