import { Buffer } from 'node:buffer'

/** Finds the code of a category by the bytes of its text. */
export class CategoryCodes {
  /** Whether a text whose bytes are no category's can be none: bytes that are no UTF-8 are read as U+FFFD. */
  readonly knowsAllBytes: boolean
  readonly #slots: readonly (Slot | undefined)[]
  readonly #mask: number

  constructor(codes: ReadonlyMap<string, number>) {
    const plain = [...codes].filter(([text]) => text.isWellFormed() && !text.includes('\ufffd'))
    this.knowsAllBytes = plain.length === codes.size
    const slots: (Slot | undefined)[] = new Array(2 ** Math.ceil(Math.log2(2 * plain.length + 2)))
    slots.fill(undefined)
    this.#mask = slots.length - 1
    for (const [text, code] of plain) {
      const bytes = Uint8Array.from(Buffer.from(text))
      let at = hashOf(bytes, 0, bytes.length) & this.#mask
      while (slots[at] !== undefined) at = (at + 1) & this.#mask
      slots[at] = { bytes, code }
    }
    this.#slots = slots
  }

  /** undefined when none is written so. */
  find(bytes: Uint8Array, from: number, to: number): number | undefined {
    for (let at = hashOf(bytes, from, to) & this.#mask; ; at = (at + 1) & this.#mask) {
      const slot = this.#slots[at]
      if (slot === undefined || isAt(bytes, from, to, slot.bytes)) return slot?.code
    }
  }
}

interface Slot {
  readonly bytes: Uint8Array
  readonly code: number
}

function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 17
  for (let at = from; at < to; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0
  return hash ^ (hash >>> 15)
}

function isAt(bytes: Uint8Array, from: number, to: number, wanted: Uint8Array): boolean {
  if (to - from !== wanted.length) return false
  for (let i = 0; i < wanted.length; i++) if (bytes[from + i] !== wanted[i]) return false
  return true
}
