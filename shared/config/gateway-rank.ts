/** Settings of `POST /v1/rank`: which queries callers may ask Elasticsearch through the gateway, and for how long. */
import { z } from 'zod'
import { secret } from './secret.ts'

/** Documents in a pool at most; each of them is scored before a rank is answered. */
export const MAX_POOL_SIZE = 500

const name = z.string().regex(/^[A-Za-z][\w-]{0,63}$/, 'up to 64 letters, digits, _ and -, a letter first')

const text = z.strictObject({
  type: z.literal('string'),
  /** Of UTF-16 code units, as JavaScript counts them. */
  maxLength: z.int().min(1).max(10_000).default(256),
  minLength: z.int().min(0).default(0),
  /** The only values there are. */
  oneOf: z.array(z.string()).min(1).optional(),
})
const bounds = { min: z.number().optional(), max: z.number().optional() }
const number = z.strictObject({ type: z.literal('number'), ...bounds })
const integer = z.strictObject({ type: z.literal('integer'), ...bounds })
const boolean = z.strictObject({ type: z.literal('boolean') })
/** ISO 8601, or Elasticsearch's date math around `now`. */
const date = z.strictObject({ type: z.literal('date') })

const single = [text, number, integer, boolean, date] as const
const value = z.discriminatedUnion('type', single).superRefine(checkBounds)

/** What may stand in the place of `{"$param": "<name>"}`. Without a default a caller must give it. */
const parameter = z
  .discriminatedUnion('type', [
    text.extend({ default: z.string().optional() }),
    number.extend({ default: z.number().optional() }),
    integer.extend({ default: z.int().optional() }),
    boolean.extend({ default: z.boolean().optional() }),
    date.extend({ default: z.string().optional() }),
    z.strictObject({
      type: z.literal('list'),
      of: value,
      minItems: z.int().min(0).default(1),
      maxItems: z.int().min(1).max(4_096).default(100),
      default: z.array(z.unknown()).optional(),
    }),
  ])
  .superRefine(checkBounds)

/** Bounds between which nothing is would make a template that starts, and that nobody can ever fill. */
function checkBounds(declared: Bounds, context: z.RefinementCtx): void {
  const nothing = (name: keyof Bounds, than: string) =>
    context.addIssue({ code: 'custom', path: [name], message: `no value fits: ${than}` })
  const { type, min = -Infinity, max = Infinity, minLength = 0, maxLength = Infinity } = declared
  const { minItems = 0, maxItems = Infinity, oneOf } = declared
  if (type === 'integer' ? Math.ceil(min) > Math.floor(max) : min > max)
    nothing('min', `nothing lies between it and max`)
  if (minLength > maxLength) nothing('minLength', 'it is more than maxLength')
  if (minItems > maxItems) nothing('minItems', 'it is more than maxItems')
  const bad = oneOf?.find(({ length }) => length < minLength || length > maxLength)
  if (bad !== undefined) nothing('oneOf', `${bad} is shorter than minLength or longer than maxLength`)
}

/** Of whichever type. */
interface Bounds {
  readonly type: string
  readonly min?: number | undefined
  readonly max?: number | undefined
  readonly minLength?: number
  readonly maxLength?: number
  readonly oneOf?: readonly string[] | undefined
  readonly minItems?: number
  readonly maxItems?: number
}

/** Names, patterns and aliases, with commas between them; what stands in < > is date math, and may have a slash. */
function isIndex(text: string): boolean {
  return text.length <= 1_000 && !/[\s"\\|/?#<>]/.test(text.replaceAll(/<[^<>\s]+>/g, ''))
}

const template = z.strictObject({
  /** Else elasticsearch.index. */
  index: z
    .string()
    .min(1)
    .refine(isIndex, 'no index has such a name: no blanks, and none of " \\ | / ? # < >')
    .optional(),
  query: z.record(z.string(), z.unknown()),
  sort: z.array(z.unknown()).min(1).max(8).optional(),
  /** Documents in the pool. */
  size: z.int().min(1).max(MAX_POOL_SIZE).default(100),
  /** A shard stops looking after so many documents; an answer from such a pool says so. */
  terminateAfter: z.int().min(1).optional(),
  parameters: z.record(name, parameter).default({}),
})

export const rankSchema = z
  .strictObject({
    templates: z
      .record(name, template)
      .default({})
      .describe(
        'Queries that callers may name, each with its query, sort, size, index and typed parameters: see docs/gateway.md.',
      ),
    rawWithoutKeys: z
      .boolean()
      .default(false)
      .describe(
        'Where no keys are needed, any caller may send a query of its own; a key wants the scope rank:raw for it.',
      ),
    elasticsearchBudgetMs: z
      .int()
      .min(1)
      .max(5_000)
      .default(40)
      .describe('Longest wait for a pool from Elasticsearch within the deadline.'),
    elasticsearchTimeoutMs: z
      .int()
      .min(1)
      .max(60_000)
      .default(500)
      .describe(
        'So long a search may go on that nobody waits for any more, to be the last pool of the next who asks; then it is cut off.',
      ),
    apiKey: secret
      .optional()
      .describe(
        'Encoded API key for these searches, instead of elasticsearch.apiKey: it needs read on the indices, no more.',
      ),
    maxSearches: z
      .int()
      .min(1)
      .max(1_000)
      .default(32)
      .describe('Searches under way at once; beyond it the last pool answers.'),
    lastPools: z
      .int()
      .min(0)
      .max(100_000)
      .default(1_000)
      .describe('Pools that are kept for when Elasticsearch does not answer,'),
    lastPoolsBytes: z
      .int()
      .min(0)
      .default(64 * 1024 * 1024)
      .describe('and the memory for them.'),
  })
  .prefault({})

export type RankSettings = z.infer<typeof rankSchema>
export type TemplateSettings = z.infer<typeof template>
export type ParameterSettings = z.infer<typeof parameter>
export type ValueSettings = z.infer<typeof value>
