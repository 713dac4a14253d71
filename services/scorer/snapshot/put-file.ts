import { Buffer } from 'node:buffer'
import { type FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore, Upload } from '@freshet/ports/object-store.ts'
import type { FileFacts } from '@freshet/snapshot/parquet/write.ts'
import type { FileOut } from '@freshet/snapshot/write-merged.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { passes, patiently } from './patience.ts'

export interface FilePutter {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly log: Log
  /** A file of this length or more goes in parts of it. At least MIN_PART_BYTES, which is what S3 takes. */
  readonly partBytes: number
}

export const PART_BYTES = 8 * 2 ** 20

/**
 * Puts a file while it is written: at most two parts are in memory, one under way and one being filled. A file without
 * rows is not put. While the store is away the same part is put again, until `signal` aborts; what cannot be read for
 * the file begins it anew. When it fails nothing is left but, at worst, an upload that is collected with the orphans.
 * @throws DEADLINE; errors a retry cannot help
 */
export function putFile(
  putter: FilePutter,
  key: string,
  write: (out: FileOut, signal: AbortSignal) => Promise<FileFacts>,
  signal: AbortSignal,
): Promise<FileFacts> {
  return patiently(putter, signal, async () => {
    const file = new FileInParts(putter, key, signal)
    try {
      const facts = await write((bytes) => file.add(bytes), signal)
      if (facts.rows > 0) await file.finish()
      return facts
    } catch (error) {
      await file.abort()
      throw error
    }
  })
}

class FileInParts {
  readonly #putter: FilePutter
  readonly #key: string
  readonly #signal: AbortSignal
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  #upload: Upload | undefined
  #parts = 0
  #underWay: Promise<void> = Promise.resolve()

  constructor(putter: FilePutter, key: string, signal: AbortSignal) {
    this.#putter = putter
    this.#key = key
    this.#signal = signal
  }

  /** All parts but the last are equally long, as some S3 servers want it. */
  async add(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length; ) {
      const to = Math.min(bytes.length, from + this.#putter.partBytes - this.#pendingBytes)
      this.#pending.push(bytes.subarray(from, to))
      this.#pendingBytes += to - from
      from = to
      if (this.#pendingBytes === this.#putter.partBytes) await this.#beginPart()
    }
  }

  async finish(): Promise<void> {
    if (this.#upload === undefined) {
      const whole = this.#take()
      await this.#again(() => this.#putter.store.put(this.#key, whole, undefined, this.#signal))
      return
    }
    if (this.#pendingBytes > 0) await this.#beginPart()
    await this.#underWay
    const upload = this.#upload
    await this.#again(() => upload.complete(this.#signal))
  }

  async abort(): Promise<void> {
    await this.#underWay.catch(() => {}) // the reason is known
    await this.#upload?.abort(AbortSignal.timeout(ABORT_MS)).catch((error: unknown) => {
      this.#putter.log.info(`parts of ${this.#key} are left until they are collected: ${error}`)
    })
  }

  async #beginPart(): Promise<void> {
    const { store } = this.#putter
    await this.#underWay
    this.#upload ??= await this.#again(() => store.beginUpload(this.#key, this.#signal))
    const upload = this.#upload
    const number = ++this.#parts
    const bytes = this.#take()
    this.#underWay = this.#again(() => upload.putPart(number, bytes, this.#signal))
    this.#underWay.catch(() => {}) // told to whoever waits for it next
  }

  #take(): Uint8Array {
    const bytes = Buffer.concat(this.#pending)
    this.#pending = []
    this.#pendingBytes = 0
    return bytes
  }

  /** An upload that was given up does not come back: then the file is begun anew. */
  #again<T>(work: () => Promise<T>): Promise<T> {
    const helps = (error: FreshetError) => passes(error) && !isFreshetError(error, 'UPLOAD_GONE')
    return patiently(this.#putter, this.#signal, work, helps)
  }
}

const ABORT_MS = 5_000
