import { Buffer } from 'node:buffer'

/** Of pieces, and how many of each are kept: a megabyte of each. Calls of 64 keys take some 20 kB, those of one hash tag some 2. */
const SIZES = [
  { bytes: 4 * 1_024, most: 256 },
  { bytes: 32 * 1_024, most: 32 },
  { bytes: 128 * 1_024, most: 8 },
]

/**
 * Memory for calls, used again once a call is answered: then Redis has read all of it. V8 marks its whole heap for each 64
 * MB of new buffers, however short they live.
 */
export class CallMemory {
  readonly #kept = SIZES.map((size) => ({ ...size, pieces: [] as Buffer[] }))

  take(bytes: number): Buffer {
    const size = this.#kept.find((size) => size.bytes >= bytes)
    return size?.pieces.pop() ?? Buffer.allocUnsafeSlow(size?.bytes ?? bytes)
  }

  /** Only what nobody will read any more. */
  giveBack(piece: Buffer): void {
    const size = this.#kept.find((size) => size.bytes === piece.length)
    if (size !== undefined && size.pieces.length < size.most) size.pieces.push(piece)
  }
}
