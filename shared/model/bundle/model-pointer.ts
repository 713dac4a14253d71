import { jsonRecord } from '@freshet/records/json-record.ts'
import { momentSchema } from '@freshet/records/moment.ts'
import { MAX_MODEL_GENERATION } from '@freshet/records/revision.ts'
import { z } from 'zod'

/** One time that a model became the current one. */
const promotion = {
  name: z.string(),
  modelVersion: z.string(),
  /** Of model.onnx, in hex. */
  sha256: z.string(),
  /** Grows with each promotion, so a rollback outranks what it undoes. */
  generation: z.int().min(1).max(MAX_MODEL_GENERATION),
  promotedAtMs: momentSchema,
}

export type Promotion = z.infer<z.ZodObject<typeof promotion>>

/** Names the promoted model: changed by conditional put only. */
const pointerSchema = z.object({
  version: z.literal(1),
  ...promotion,
  /** Where rolling back leads, the nearest first; pointers of earlier builds have none. */
  previous: z.array(z.object(promotion)).default([]),
})

/** A pushed model, and the bytes that are meant. */
export type PinnedModel = Pick<Promotion, 'name' | 'modelVersion' | 'sha256'>

export type ModelPointer = z.infer<typeof pointerSchema>

export const POINTER_OBJECT = 'models/current.json'
export const modelPointerRecord = jsonRecord<ModelPointer>('model pointer', 1, pointerSchema)

const MAX_PREVIOUS = 10

/** What tells a promotion from all others: a generation that none had, and a time not before that of the one before. */
export type Stamp = Pick<Promotion, 'generation' | 'promotedAtMs'>

/** The pointer after `model` became the current one; what is current now can be rolled back to. */
export function promoted(model: PinnedModel, over: ModelPointer | null, stamp: Stamp): ModelPointer {
  const previous = over === null ? [] : [promotionOf(over), ...over.previous].slice(0, MAX_PREVIOUS)
  return { ...pointerTo(model, stamp), previous }
}

/** The same model under the next generation, which scores everything anew. */
export function promotedAgain(current: ModelPointer, stamp: Stamp): ModelPointer {
  return { ...pointerTo(current, stamp), previous: current.previous }
}

/**
 * The pointer after going back one step. What is left behind is forgotten, so going back twice leads two steps back
 * and not forward again.
 * @returns null where there is nothing to go back to
 */
export function rolledBack(current: ModelPointer, stamp: Stamp): ModelPointer | null {
  const [last, ...previous] = current.previous
  return last === undefined ? null : { ...pointerTo(last, stamp), previous }
}

function pointerTo(
  { name, modelVersion, sha256 }: PinnedModel,
  { generation, promotedAtMs }: Stamp,
): Omit<ModelPointer, 'previous'> {
  return { version: 1, name, modelVersion, sha256, generation, promotedAtMs }
}

function promotionOf({ name, modelVersion, sha256, generation, promotedAtMs }: ModelPointer): Promotion {
  return { name, modelVersion, sha256, generation, promotedAtMs }
}
