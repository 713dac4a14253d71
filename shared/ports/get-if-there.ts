import { isFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore, StoredObject } from './object-store.ts'

/** @returns null where there is no such object */
export async function getIfThere(
  store: ObjectStore,
  key: string,
  signal?: AbortSignal,
): Promise<StoredObject | null> {
  try {
    return await store.get(key, signal)
  } catch (error) {
    if (isFreshetError(error, 'OBJECT_MISSING')) return null
    throw error
  }
}
