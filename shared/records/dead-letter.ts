import { z } from 'zod'
import { jsonRecord } from './json-record.ts'

/**
 * Why a change could not be scored. In `.dead` the message keeps the change as it was (key, value, change header), and
 * this stands beside it in a header of its own, so a replay needs nothing else.
 */
const deadLetterSchema = z.object({
  version: z.literal(1),
  /** An error code of the table, e.g. FIELD_MISSING. */
  code: z.string(),
  message: z.string(),
  /** JSON pointer to the field in question; null when the document as a whole is. */
  at: z.string().nullable(),
  model: z.string(),
  partition: z.int(),
  offset: z.int(),
  diedAtMs: z.number(),
})

export type DeadLetter = z.infer<typeof deadLetterSchema>

export const DEAD_LETTER_HEADER = 'd'
export const deadLetterRecord = jsonRecord<DeadLetter>('dead letter', 1, deadLetterSchema)
