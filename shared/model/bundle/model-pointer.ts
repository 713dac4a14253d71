import { jsonRecord } from '@freshet/records/json-record.ts'
import { z } from 'zod'

/** Names the promoted model: the one object of the model store that ever changes, by conditional put. */
const pointerSchema = z.object({
  version: z.literal(1),
  name: z.string(),
  modelVersion: z.string(),
  /** Of model.onnx, in hex. */
  sha256: z.string(),
  /** Counts promotions, so a rollback outranks what it undoes. */
  generation: z.int().min(1),
  promotedAtMs: z.number(),
})

export type ModelPointer = z.infer<typeof pointerSchema>

export const POINTER_OBJECT = 'models/current.json'
export const modelPointerRecord = jsonRecord<ModelPointer>('model pointer', 1, pointerSchema)
