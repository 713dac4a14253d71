import type { ListedObject, ObjectStore, PutCondition, Upload } from '@freshet/ports/object-store.ts'

/** Calls `meddle` at each call of the store, before or after (or instead of) the work itself. */
export type Meddle = <T>(work: () => Promise<T>) => Promise<T>

/** A store whose every call goes through one hand: it dies, fails or is held there, as a test wants it. */
export class MeddledStore implements ObjectStore {
  readonly #inner: ObjectStore
  readonly #meddle: Meddle

  constructor(inner: ObjectStore, meddle: Meddle) {
    this.#inner = inner
    this.#meddle = meddle
  }

  get: ObjectStore['get'] = (key, signal) => this.#meddle(() => this.#inner.get(key, signal))
  getRange: ObjectStore['getRange'] = (key, range, signal) =>
    this.#meddle(() => this.#inner.getRange(key, range, signal))

  put(key: string, body: Uint8Array, condition?: PutCondition, signal?: AbortSignal): Promise<string> {
    return this.#meddle(() => this.#inner.put(key, body, condition, signal))
  }

  async beginUpload(key: string, signal?: AbortSignal): Promise<Upload> {
    const upload = await this.#meddle(() => this.#inner.beginUpload(key, signal))
    return {
      putPart: (number, bytes, signal) => this.#meddle(() => upload.putPart(number, bytes, signal)),
      complete: (signal) => this.#meddle(() => upload.complete(signal)),
      abort: (signal) => this.#meddle(() => upload.abort(signal)),
    }
  }

  abortUploads(prefix: string, begunBeforeMs: number, signal?: AbortSignal): Promise<number> {
    return this.#meddle(() => this.#inner.abortUploads(prefix, begunBeforeMs, signal))
  }

  list(prefix: string, signal?: AbortSignal): Promise<readonly ListedObject[]> {
    return this.#meddle(() => this.#inner.list(prefix, signal))
  }

  delete(key: string, signal?: AbortSignal): Promise<void> {
    return this.#meddle(() => this.#inner.delete(key, signal))
  }

  urlOf(key: string): string {
    return this.#inner.urlOf(key)
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
