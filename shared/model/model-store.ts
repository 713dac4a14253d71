import { FreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { ModelIdentity } from '@freshet/records/score-batch.ts'
import type { ModelBundle } from './bundle.ts'

/** Names the promoted model; the one object here that changes. */
export interface ModelPointer {
  readonly version: 1
  readonly name: string
  readonly modelVersion: string
  readonly sha256: string
  /** Counts promotions, so a rollback outranks what it undoes. */
  readonly generation: number
  readonly promotedAtMs: number
}

/** Uploads under `models/<name>/<version>/`; again with the same bytes is no error. @throws MODEL_VERSION_TAKEN, MODEL_HASH */
export async function pushModel(
  store: ObjectStore,
  bundle: ModelBundle,
  signal?: AbortSignal,
): Promise<void> {
  throw new FreshetError('BUG', `not built yet: ${store} ${bundle} ${signal}`)
}

/**
 * Makes a pushed model the current one, under the next generation; naming the current one changes nothing. Rolling
 * back is promoting the older version.
 * @throws MODEL_MISSING when it was never pushed
 */
export async function promoteModel(
  store: ObjectStore,
  model: { readonly name: string; readonly version: string },
  nowMs: number,
  signal?: AbortSignal,
): Promise<ModelPointer> {
  throw new FreshetError('BUG', `not built yet: ${store} ${model.name} ${nowMs} ${signal}`)
}

/** null: nothing was ever promoted. */
export async function readPointer(store: ObjectStore, signal?: AbortSignal): Promise<ModelPointer | null> {
  throw new FreshetError('BUG', `not built yet: ${store} ${signal}`)
}

/** @throws MODEL_MISSING when nothing is promoted or its objects are gone, MODEL_HASH, MODEL_INVALID */
export async function loadPromotedModel(
  store: ObjectStore,
  signal: AbortSignal,
): Promise<{ bundle: ModelBundle; identity: ModelIdentity }> {
  throw new FreshetError('BUG', `not built yet: ${store} ${signal}`)
}
