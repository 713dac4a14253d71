import { z } from 'zod'
import { jsonRecord } from './json-record.ts'
import { momentSchema } from './moment.ts'

/**
 * Why something was set aside: a document that could not travel, a change that could not be scored, or what is no score
 * batch. In `.dead` it keeps its key, value and change header, and this stands beside it in a header of its own, so a
 * replay needs nothing else. A document too large for Kafka keeps key and change header, but not its bytes.
 */
const deadLetterSchema = z.object({
  version: z.literal(2),
  /** An error code of the table, e.g. FIELD_MISSING. */
  code: z.string(),
  message: z.string(),
  /** JSON pointer to the field in question; null when the document as a whole is. */
  at: z.string().nullable(),
  /** `name@version`; null for what no model has met. */
  model: z.string().nullable(),
  /** Where the message stood; null for a document that never became one. */
  topic: z.string().nullable(),
  partition: z.int().nullable(),
  offset: z.int().nullable(),
  /** Where the document stands in Elasticsearch; null for a message. */
  document: z.object({ index: z.string(), id: z.string() }).nullable(),
  diedAtMs: momentSchema,
})

export type DeadLetter = z.infer<typeof deadLetterSchema>

export const DEAD_LETTER_HEADER = 'd'

/** Version 1 knew only messages. */
export const deadLetterRecord = jsonRecord<DeadLetter>('dead letter', 2, deadLetterSchema, {
  1: (letter) => ({ ...letter, version: 2, document: null }),
})
