import { Buffer } from 'node:buffer'

/** A call of 64 keys takes some 20 kB. */
const PIECE_BYTES = 32 * 1024
/** A megabyte in all, twice what one merge has in flight. */
const MAX_KEPT = 32

/**
 * Memory for calls, used again once a call is answered: then Redis has read all of it. V8 marks its whole heap for each 64
 * MB of new buffers, however short they live.
 */
export class CallMemory {
  readonly #kept: Buffer[] = []

  take(bytes: number): Buffer {
    if (bytes > PIECE_BYTES) return Buffer.allocUnsafeSlow(bytes)
    return this.#kept.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES)
  }

  /** Only what nobody will read any more. */
  giveBack(piece: Buffer): void {
    if (piece.length === PIECE_BYTES && this.#kept.length < MAX_KEPT) this.#kept.push(piece)
  }
}
