/**
 * The API's requests and answers. What checks requests is also what /openapi.json is made from; answers are not checked
 * as they leave, but tests do.
 */
import { ERRORS, type ErrorCode } from '@freshet/errors/errors.ts'
import { ANSWER_SOURCES } from '@freshet/records/answer.ts'
import { faultOfKey, MAX_KEY_BYTES } from '@freshet/records/document-key.ts'
import { REASONS } from '@freshet/records/reasons.ts'
import { z } from 'zod'

export const MAX_KEYS = 1_000
export const MAX_DOCUMENTS = 256

export const keySchema = z
  .string()
  .superRefine((key, context) => {
    const fault = faultOfKey(key)
    if (fault !== null) context.addIssue({ code: 'custom', message: fault })
  })
  .meta({
    id: 'Key',
    description: `Key of a document: \`index/_id\`, unless elasticsearch.key says otherwise. At most ${MAX_KEY_BYTES} bytes of UTF-8.`,
    minLength: 1,
    maxLength: MAX_KEY_BYTES,
    examples: ['flights/2013-12-01-US-1895-EWR'],
  })

/** Passed on as it is; whoever reads it refuses what does not belong there, whatever its name. */
export const objectSchema = z.custom<Readonly<Record<string, unknown>>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  { error: 'a JSON object' },
)

/** Looking for more would be work for nothing: the model looks at the fields of its columns. */
export const documentSchema = objectSchema.meta({
  id: 'Document',
  type: 'object',
  description: 'A document, as Elasticsearch would have it.',
})

export const answerFields = {
  score: z
    .number()
    .nullable()
    .meta({ description: 'The model’s first output; null when even the default is not configured.' }),
  scores: z
    .record(z.string(), z.number())
    .optional()
    .meta({ description: 'Every output by name, when the model has more than one.' }),
  source: z.enum(ANSWER_SOURCES).meta({ description: 'Where it comes from.' }),
  age_ms: z
    .number()
    .min(0)
    .nullable()
    .meta({ description: 'Milliseconds since the document was seen as it was scored; null for a default.' }),
  as_of: z.iso.datetime().nullable().meta({ description: 'The same moment.' }),
  model: z.string().nullable().meta({ description: '`name@version`; null for a default.' }),
  degraded: z
    .boolean()
    .meta({ description: 'True when a better source should have answered and could not.' }),
  reason: z
    .enum(Object.keys(REASONS) as [keyof typeof REASONS])
    .optional()
    .meta({
      description: `Why, when degraded. ${Object.entries(REASONS)
        .map(([reason, text]) => `\`${reason}\`: ${text}`)
        .join(' ')}`,
    }),
}

export const answerSchema = z
  .strictObject({
    key: z.string().nullable().meta({ description: 'null when none was given.' }),
    ...answerFields,
  })
  .meta({ id: 'Answer' })

export const absenceSchema = z
  .strictObject({
    key: z.string(),
    absent: z
      .enum(['unknown', 'deleted'])
      .meta({ description: 'Nobody has a score for it, or it was deleted.' }),
  })
  .meta({ id: 'Absence' })

export const problemSchema = z
  .strictObject({
    type: z.string().meta({ description: '`urn:freshet:error:` and the code.' }),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string(),
    code: z.enum(Object.keys(ERRORS) as [ErrorCode]),
    hint: z.string().meta({ description: 'What to do about it.' }),
    retryable: z.boolean().meta({ description: 'Whether the same request may do better later.' }),
    errors: z
      .array(
        z.strictObject({
          at: z.string().meta({ description: 'JSON pointer (RFC 6901) into the body.' }),
          message: z.string(),
        }),
      )
      .optional()
      .meta({ description: 'What is wrong with the request, place by place.' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457.' })

export type Absence = z.infer<typeof absenceSchema>
export type Problem = z.infer<typeof problemSchema>
