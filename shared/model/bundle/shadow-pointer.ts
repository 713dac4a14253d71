import { Buffer } from 'node:buffer'
import { getIfThere } from '@freshet/ports/get-if-there.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { jsonRecord } from '@freshet/records/json-record.ts'
import { momentSchema } from '@freshet/records/moment.ts'
import { z } from 'zod'
import { type PushedModel, readPushedBundle } from './bundle-store.ts'

/** Names the model that scores beside the promoted one, for comparison only. Where the object is not, none does. */
const shadowSchema = z.object({
  version: z.literal(1),
  name: z.string(),
  modelVersion: z.string(),
  /** Of model.onnx, in hex. */
  sha256: z.string(),
  /** When the comparison began: what was reported before is of an earlier one. */
  sinceMs: momentSchema,
})

export type ShadowPointer = z.infer<typeof shadowSchema>

const SHADOW_OBJECT = 'models/shadow.json'
export const shadowPointerRecord = jsonRecord<ShadowPointer>('shadow pointer', 1, shadowSchema)

/** null: no model is a shadow. */
export async function readShadow(store: ObjectStore, signal?: AbortSignal): Promise<ShadowPointer | null> {
  const stored = await getIfThere(store, SHADOW_OBJECT, signal)
  return stored && shadowPointerRecord.decode(stored.body)
}

/**
 * Makes a pushed model the shadow, in place of whichever was. Naming the one that it is already changes nothing: its
 * comparison goes on.
 * @throws MODEL_MISSING when it was never pushed; MODEL_HASH, MODEL_INVALID
 */
export async function setShadow(
  store: ObjectStore,
  model: PushedModel,
  nowMs: number,
  signal?: AbortSignal,
): Promise<ShadowPointer> {
  const { spec } = await readPushedBundle(store, model, signal)
  const current = await readShadow(store, signal)
  if (current?.name === spec.name && current.modelVersion === spec.version && current.sha256 === spec.sha256)
    return current
  const { name, version: modelVersion, sha256 } = spec
  const shadow: ShadowPointer = { version: 1, name, modelVersion, sha256, sinceMs: nowMs }
  await store.put(SHADOW_OBJECT, Buffer.from(shadowPointerRecord.encode(shadow)), undefined, signal)
  return shadow
}

/** Its reports stay. */
export async function clearShadow(store: ObjectStore, signal?: AbortSignal): Promise<void> {
  await store.delete(SHADOW_OBJECT, signal)
}
