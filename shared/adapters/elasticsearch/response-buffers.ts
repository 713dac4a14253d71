import { Buffer } from 'node:buffer'

const MAX_FREE_BYTES = 32 * 1024 * 1024
const SMALLEST_BYTES = 64 * 1024

/**
 * Buffers of responses that are done with, for the next ones. For every 64 MB of buffers that were made V8 walks over the
 * whole heap, and a shard is read at a hundred MB a second.
 */
export class ResponseBuffers {
  readonly #free: Buffer[] = []
  /** Only what was taken here comes back, and once: a buffer in two hands would mix two responses. */
  readonly #taken = new WeakSet<ArrayBufferLike>()
  #freeBytes = 0

  /** @returns of any length from `bytes` on; what is in it is anything */
  take(bytes: number): Buffer {
    const place = this.#free.findLastIndex(({ length }) => length >= bytes)
    const found = place === -1 ? Buffer.allocUnsafeSlow(roundUp(bytes)) : this.#free.splice(place, 1)[0]!
    if (place !== -1) this.#freeBytes -= found.length
    this.#taken.add(found.buffer)
    return found
  }

  /** @param view of a buffer that was taken, or of any other: that is let be. Nobody may look at it any more. */
  give({ buffer }: Buffer): void {
    if (!this.#taken.delete(buffer) || this.#freeBytes + buffer.byteLength > MAX_FREE_BYTES) return
    this.#freeBytes += buffer.byteLength
    this.#free.push(Buffer.from(buffer as ArrayBuffer))
  }
}

/** To a power of two, so that pages of about one size fit into each other's buffers. */
function roundUp(bytes: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(SMALLEST_BYTES, bytes)))
}
