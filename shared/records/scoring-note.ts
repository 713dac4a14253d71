import { isFreshetError } from '@freshet/errors/errors.ts'
import { z } from 'zod'
import { type JsonRecord, jsonRecord } from './json-record.ts'
import { momentSchema } from './moment.ts'

/**
 * What infer keeps beside its offset in `.changes`: everything from `sinceOffset` up to the offset is scored with this
 * generation of the model, or a newer one. Where nothing below is left to be scored anew, `sinceOffset` is 0.
 */
const inferNoteSchema = z.object({
  version: z.literal(1),
  generation: z.int().min(1),
  sinceOffset: z.int().min(0),
})

export type InferNote = z.infer<typeof inferNoteSchema>
export const inferNoteRecord = jsonRecord<InferNote>('infer note', 1, inferNoteSchema)

/** What rescoring keeps beside its offset in `.changes`: everything below is scored with this generation or a newer one. */
const rescoreNoteSchema = z.object({
  version: z.literal(1),
  generation: z.int().min(1),
  /** When the first partition began. */
  beganAtMs: momentSchema,
})

export type RescoreNote = z.infer<typeof rescoreNoteSchema>
export const rescoreNoteRecord = jsonRecord<RescoreNote>('rescore note', 1, rescoreNoteSchema)

/**
 * @param note as the group keeps it. What is no note of ours, also one of an earlier build or of a tool that moved the
 *   offset, says nothing: scoring again is harmless, taking it for scored is not.
 * @throws RECORD_VERSION
 */
export function decodeNote<T>(record: JsonRecord<T>, note: string): T | null {
  try {
    return record.decode(note)
  } catch (error) {
    if (isFreshetError(error, 'RECORD_MALFORMED') || isFreshetError(error, 'RECORD_OUTDATED')) return null
    throw error
  }
}
