import { z } from 'zod'
import { jsonRecord } from './json-record.ts'

/**
 * Why a message was set aside: a change that could not be scored, or what is no score batch. In `.dead` it keeps its
 * key, value and change header, and this stands beside it in a header of its own, so a replay needs nothing else.
 */
const deadLetterSchema = z.object({
  version: z.literal(1),
  /** An error code of the table, e.g. FIELD_MISSING. */
  code: z.string(),
  message: z.string(),
  /** JSON pointer to the field in question; null when the document as a whole is. */
  at: z.string().nullable(),
  /** `name@version`; null for what no model has met. */
  model: z.string().nullable(),
  /** Where the message stood. */
  topic: z.string(),
  partition: z.int(),
  offset: z.int(),
  diedAtMs: z.number(),
})

export type DeadLetter = z.infer<typeof deadLetterSchema>

export const DEAD_LETTER_HEADER = 'd'
export const deadLetterRecord = jsonRecord<DeadLetter>('dead letter', 1, deadLetterSchema)
