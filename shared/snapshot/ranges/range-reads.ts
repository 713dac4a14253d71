import type { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { Range } from '../parquet/layout.ts'
import { type FileAddress, readFile } from '../parquet/source.ts'

export interface RangeReadLimits {
  /** What was read is kept up to this, as it lies in the files. */
  readonly cacheBytes: number
  /** Requests on their way at the same time. */
  readonly maxReads: number
  /** Reads that wait behind them; more are refused. */
  readonly maxWaiting: number
  /** One read, its retries included. */
  readonly timeoutMs: number
}

export const RANGE_READ_LIMITS: RangeReadLimits = {
  cacheBytes: 32 * 2 ** 20,
  maxReads: 32,
  maxWaiting: 1_000,
  timeoutMs: 2_000,
}

/**
 * Reads pieces of snapshot files, which never change: whoever wants what is on its way waits for the same request, and
 * what was used last is kept. A read has its own time limit, above that of a caller: what comes too late for one is there
 * for the next.
 */
export class RangeReads implements Disposable {
  readonly #store: ObjectStore
  readonly #limits: RangeReadLimits
  /** Used last comes last. */
  readonly #kept = new Map<string, Buffer>()
  #keptBytes = 0
  readonly #underWay = new Map<string, Promise<Buffer>>()
  readonly #waiting: (() => void)[] = []
  #running = 0
  readonly #stop = new AbortController()

  constructor(store: ObjectStore, limits: RangeReadLimits = RANGE_READ_LIMITS) {
    this.#store = store
    this.#limits = limits
  }

  get keptBytes(): number {
    return this.#keptBytes
  }

  /** @throws SNAPSHOT_FILE_MISSING, OVERLOADED, DEADLINE, and what the store throws */
  read(file: FileAddress, range: Range): Promise<Buffer> {
    const name = `${file.key} ${range.from}-${range.to}`
    const kept = this.#kept.get(name)
    if (kept !== undefined) {
      this.#kept.delete(name)
      this.#kept.set(name, kept)
      return Promise.resolve(kept)
    }
    const underWay = this.#underWay.get(name)
    if (underWay !== undefined) return underWay
    const reading = this.#inTurn(() => this.#fetch(file, range))
      .then((bytes) => this.#keep(name, bytes))
      .finally(() => this.#underWay.delete(name))
    this.#underWay.set(name, reading)
    return reading
  }

  [Symbol.dispose](): void {
    this.#stop.abort()
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#limits.maxReads) {
      if (this.#waiting.length >= this.#limits.maxWaiting)
        throw new FreshetError('OVERLOADED', `${this.#waiting.length} reads of the snapshot wait already`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve)) // its turn is handed over: still counted
    } else this.#running++
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }

  async #fetch(file: FileAddress, range: Range): Promise<Buffer> {
    const end = new AbortController()
    const abort = () => end.abort()
    const timer = setTimeout(abort, this.#limits.timeoutMs)
    this.#stop.signal.addEventListener('abort', abort)
    try {
      if (this.#stop.signal.aborted) throw new FreshetError('DEADLINE', 'the gateway stops')
      const bytes = await readFile(this.#store, file, range, end.signal)
      if (bytes.length === range.to - range.from) return bytes
      throw new FreshetError('SNAPSHOT_CORRUPT', `${file.key} ends before ${range.to}`)
    } finally {
      clearTimeout(timer)
      this.#stop.signal.removeEventListener('abort', abort)
    }
  }

  #keep(name: string, bytes: Buffer): Buffer {
    this.#kept.set(name, bytes)
    this.#keptBytes += bytes.length
    for (const [oldest, { length }] of this.#kept) {
      if (this.#keptBytes <= this.#limits.cacheBytes) break
      this.#kept.delete(oldest)
      this.#keptBytes -= length
    }
    return bytes
  }
}
