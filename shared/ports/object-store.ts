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
  /** Begins an object that comes in parts, so that nobody holds it whole. It is seen once it is completed. */
  beginUpload(key: string, signal?: AbortSignal): Promise<Upload>
  /** Gives up the uploads under `prefix` that were begun before and never ended. @returns how many there were */
  abortUploads(prefix: string, begunBeforeMs: number, signal?: AbortSignal): Promise<number>
  /** Keys that start with `prefix`, in byte order. */
  list(prefix: string, signal?: AbortSignal): Promise<readonly ListedObject[]>
  /** No error when it is already gone. */
  delete(key: string, signal?: AbortSignal): Promise<void>
  /** Where other tools find it, e.g. `s3://bucket/prefix/key`. */
  urlOf(key: string): string
}

/** An object on its way. After a failure that a retry can help the same call may be made again. */
export interface Upload {
  /**
   * @param number from 1 on, without gaps. @param bytes MIN_PART_BYTES or more, but in the last part
   * @throws UPLOAD_GONE when it was given up
   */
  putPart(number: number, bytes: Uint8Array, signal?: AbortSignal): Promise<void>
  /** @throws UPLOAD_GONE when it was given up, and the object is not there */
  complete(signal?: AbortSignal): Promise<void>
  /** Gives it up: no part remains. No error when it is already gone. */
  abort(signal?: AbortSignal): Promise<void>
}

/** What S3 asks of a part. */
export const MIN_PART_BYTES = 5 * 2 ** 20

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
