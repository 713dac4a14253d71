import { Buffer } from 'node:buffer'

/** A pool as Elasticsearch answered it, and what is to be known of it later. */
export interface SeenPool {
  /** Bytes for `cutPool`. */
  readonly response: Buffer
  /** Which fields its documents have: those of `fieldsSignature`. */
  readonly fields: string
  /** When it was asked for, wall-clock milliseconds: its documents were current then, or later. */
  readonly seenAtMs: number
}

/** What a pool takes beside its bytes, roughly. */
const BESIDE_BYTES = 256

/** The last whole pool of each query, as far as they fit; those asked for longest ago go first. */
export class LastPools {
  readonly #limits: { readonly maxPools: number; readonly maxBytes: number }
  readonly #pools = new Map<string, SeenPool>()
  #bytes = 0

  constructor(limits: { maxPools: number; maxBytes: number }) {
    this.#limits = limits
  }

  /** Being asked for keeps it longer. */
  get(query: string): SeenPool | undefined {
    const pool = this.#pools.get(query)
    if (pool === undefined) return undefined
    this.#pools.delete(query)
    this.#pools.set(query, pool)
    return pool
  }

  /** Copies the bytes: what came from a socket is a piece of something larger. */
  keep(query: string, { response, fields, seenAtMs }: SeenPool): void {
    const own = Buffer.allocUnsafeSlow(response.length)
    response.copy(own)
    this.#forget(query)
    this.#pools.set(query, { response: own, fields, seenAtMs })
    this.#bytes += own.length + BESIDE_BYTES
    for (const oldest of this.#pools.keys()) {
      if (this.#pools.size <= this.#limits.maxPools && this.#bytes <= this.#limits.maxBytes) return
      this.#forget(oldest)
    }
  }

  #forget(query: string): void {
    const pool = this.#pools.get(query)
    if (pool === undefined) return
    this.#pools.delete(query)
    this.#bytes -= pool.response.length + BESIDE_BYTES
  }
}
