import type { Buffer } from 'node:buffer'

/** Objects by key, as S3 keeps them. Keys are relative to the configured prefix. Promises: object-store.contract.ts. */
export interface ObjectStore extends AsyncDisposable {
  /** @throws OBJECT_MISSING */
  get(key: string, signal?: AbortSignal): Promise<StoredObject>
  /** Bytes `from` (inclusive) to `to` (exclusive). @throws OBJECT_MISSING */
  getRange(key: string, range: { from: number; to: number }, signal?: AbortSignal): Promise<Buffer>
  /**
   * @param condition `{ ifMatch }`: only over the version with this etag; `'absent'`: only where nothing is.
   * @returns the etag of what was written. @throws OBJECT_CHANGED when the condition does not hold
   */
  put(key: string, body: Uint8Array, condition?: PutCondition, signal?: AbortSignal): Promise<string>
  /** Keys that start with `prefix`, in byte order. */
  list(prefix: string, signal?: AbortSignal): Promise<readonly ListedObject[]>
  /** No error when it is already gone. */
  delete(key: string, signal?: AbortSignal): Promise<void>
}

export type PutCondition = 'absent' | { readonly ifMatch: string }

export interface StoredObject {
  readonly body: Buffer
  readonly etag: string
}

export interface ListedObject {
  readonly key: string
  readonly bytes: number
  readonly modifiedAtMs: number
}
