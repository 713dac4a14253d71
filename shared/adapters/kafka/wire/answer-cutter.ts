import { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'

/** Of an answer's length, which stands before it. */
const LENGTH_BYTES = 4
/** An answer begins with the number of its request. */
const MIN_BYTES = 4
/** More is not taken on the word of a broker, which may be no broker, but as it comes. */
const TRUSTED_BYTES = 8 * 1024 * 1024

/**
 * Cuts what one socket brings into answers: of each its length, i32, and as many bytes. The memory of an answer is taken
 * once, when its length is known, and each piece is copied to its place; it is nobody else's.
 */
export class AnswerCutter {
  readonly #head = Buffer.alloc(LENGTH_BYTES)
  #headBytes = 0
  #bytes = 0
  #answer: Buffer | null = null
  #filled = 0

  /**
   * @param piece may be used again after the call.
   * @param onAnswer gets an answer with its length before it.
   * @throws KAFKA_CORRUPT: what comes is no answer, and what follows cannot be read either
   */
  take(piece: Uint8Array, onAnswer: (answer: Buffer) => void): void {
    for (let at = 0; at < piece.length; ) {
      at = this.#answer === null ? this.#takeHead(piece, at) : this.#takeBody(piece, at, this.#answer)
      if (this.#answer === null || this.#filled < this.#bytes) continue
      const answer = this.#answer
      this.#answer = null
      onAnswer(answer)
    }
  }

  #takeHead(piece: Uint8Array, start: number): number {
    let at = start
    while (this.#headBytes < LENGTH_BYTES && at < piece.length) this.#head[this.#headBytes++] = piece[at++]!
    if (this.#headBytes < LENGTH_BYTES) return at
    const length = this.#head.readInt32BE(0)
    if (length < MIN_BYTES)
      throw new FreshetError('KAFKA_CORRUPT', `an answer says that it has ${length} bytes`)
    this.#headBytes = 0
    this.#bytes = LENGTH_BYTES + length
    this.#answer = Buffer.allocUnsafe(Math.min(this.#bytes, TRUSTED_BYTES))
    this.#answer.set(this.#head)
    this.#filled = LENGTH_BYTES
    return at
  }

  #takeBody(piece: Uint8Array, at: number, answer: Buffer): number {
    const to = Math.min(piece.length, at + this.#bytes - this.#filled)
    const wanted = this.#filled + to - at
    const into = wanted <= answer.length ? answer : this.#larger(answer, wanted)
    into.set(piece.subarray(at, to), this.#filled)
    this.#answer = into
    this.#filled = wanted
    return to
  }

  #larger(answer: Buffer, wanted: number): Buffer {
    const larger = Buffer.allocUnsafe(Math.min(this.#bytes, Math.max(wanted, 2 * answer.length)))
    larger.set(answer.subarray(0, this.#filled))
    return larger
  }
}
