import { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import type {
  ListedObject,
  ObjectStore,
  PutCondition,
  StoredObject,
  Upload,
} from '@freshet/ports/object-store.ts'

/** An object store that lives as long as the process. What simulations and tests stand on. */
export class MemoryObjectStore implements ObjectStore {
  readonly #objects = new Map<string, StoredObject & { readonly modifiedAtMs: number }>()
  readonly #uploads = new Set<OpenUpload>()
  readonly #nowMs: () => number
  #writes = 0

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs
  }

  async get(key: string, signal?: AbortSignal): Promise<StoredObject> {
    checkSignal(signal)
    const { body, etag } = this.#find(key)
    return { body: Buffer.from(body), etag }
  }

  async getRange(
    key: string,
    { from, to }: { from: number; to: number },
    signal?: AbortSignal,
  ): Promise<Buffer> {
    checkSignal(signal)
    return Buffer.from(this.#find(key).body.subarray(from, to))
  }

  async put(key: string, body: Uint8Array, condition?: PutCondition, signal?: AbortSignal): Promise<string> {
    checkSignal(signal)
    const there = this.#objects.get(key)?.etag
    const fits = condition === undefined || there === (condition === 'absent' ? undefined : condition.ifMatch)
    if (!fits) throw new FreshetError('OBJECT_CHANGED', `put ${key}: another version is there`)
    const etag = `"${++this.#writes}"`
    this.#objects.set(key, { body: Buffer.from(body), etag, modifiedAtMs: this.#nowMs() })
    return etag
  }

  async beginUpload(key: string, signal?: AbortSignal): Promise<Upload> {
    checkSignal(signal)
    const upload: OpenUpload = { key, begunAtMs: this.#nowMs(), parts: [] }
    this.#uploads.add(upload)
    return {
      putPart: async (number, bytes, signal) => {
        checkSignal(signal)
        if (!this.#uploads.has(upload)) throw gone(key)
        upload.parts[number - 1] = Buffer.from(bytes)
      },
      complete: async (signal) => {
        checkSignal(signal)
        if (this.#uploads.delete(upload)) await this.put(key, Buffer.concat(upload.parts))
        else if (!this.#objects.has(key)) throw gone(key)
      },
      abort: async (signal) => {
        checkSignal(signal)
        this.#uploads.delete(upload)
      },
    }
  }

  async abortUploads(prefix: string, begunBeforeMs: number, signal?: AbortSignal): Promise<number> {
    checkSignal(signal)
    const old = [...this.#uploads].filter(
      ({ key, begunAtMs }) => key.startsWith(prefix) && begunAtMs < begunBeforeMs,
    )
    for (const upload of old) this.#uploads.delete(upload)
    return old.length
  }

  async list(prefix: string, signal?: AbortSignal): Promise<readonly ListedObject[]> {
    checkSignal(signal)
    return [...this.#objects]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, { body, modifiedAtMs }]) => ({ key, bytes: body.length, modifiedAtMs }))
      .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
  }

  async delete(key: string, signal?: AbortSignal): Promise<void> {
    checkSignal(signal)
    this.#objects.delete(key)
  }

  urlOf(key: string): string {
    return `memory://${key}`
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #find(key: string): StoredObject {
    const object = this.#objects.get(key)
    if (object === undefined) throw new FreshetError('OBJECT_MISSING', `get ${key}: no such object`)
    return object
  }
}

interface OpenUpload {
  readonly key: string
  readonly begunAtMs: number
  readonly parts: Buffer[]
}

function gone(key: string): FreshetError {
  return new FreshetError('UPLOAD_GONE', `upload of ${key}: it was given up`)
}

function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new FreshetError('DEADLINE', 'given up')
}
