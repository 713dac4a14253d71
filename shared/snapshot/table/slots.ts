import type { MemoryKind } from './entries.ts'

/**
 * Finds entries by hash: open addressing over two arrays, the entry and 16 bits of its hash. An entry's home follows from
 * those bits alone and rises with them, so growing is one pass over both arrays that looks at no entry.
 */
export class Slots {
  #count = 0
  /** Entry + 1; 0 is empty. */
  #entries: Uint32Array = NO_ENTRIES
  #tags: Uint16Array = NO_TAGS
  readonly #memory: MemoryKind

  constructor(memory: MemoryKind) {
    this.#memory = memory
  }

  get bytes(): number {
    const bytes = this.#entries.length * SLOT_BYTES
    return this.#memory === 'kept' ? Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES : bytes
  }

  /** @param isIt whether an entry is the one meant. @returns -1: there is none */
  find(tag: number, hash: Uint32Array, entries: { isOf(entry: number, hash: Uint32Array): boolean }): number {
    const length = this.#entries.length
    for (let at = homeOf(tag, length); ; at = at + 1 === length ? 0 : at + 1) {
      const slot = this.#entries[at]!
      if (slot === 0) return -1
      if (this.#tags[at] === tag && entries.isOf(slot - 1, hash)) return slot - 1
    }
  }

  /** Adds an entry that is not there. */
  add(tag: number, entry: number): void {
    if (++this.#count > this.#entries.length * MAX_LOAD) this.#grow()
    this.#place(tag, entry + 1)
  }

  /** Takes an entry out that is there, and closes the gap that it leaves. */
  remove(tag: number, entry: number): void {
    const length = this.#entries.length
    let gap = homeOf(tag, length)
    while (this.#entries[gap] !== entry + 1) gap = gap + 1 === length ? 0 : gap + 1
    for (let at = gap; ; ) {
      at = at + 1 === length ? 0 : at + 1
      if (this.#entries[at] === 0) break
      const fromHome = (at - homeOf(this.#tags[at]!, length) + length) % length
      if (fromHome < (at - gap + length) % length) continue // the gap lies before its home
      this.#entries[gap] = this.#entries[at]!
      this.#tags[gap] = this.#tags[at]!
      gap = at
    }
    this.#entries[gap] = 0
    this.#count--
  }

  /** Nothing is left to the garbage collector: four times of what is kept would call for it again and again. */
  #grow(): void {
    const { length } = this.#entries
    const entries = (oldEntries = roomFor(oldEntries, length, Uint32Array))
    const tags = (oldTags = roomFor(oldTags, length, Uint16Array))
    entries.set(this.#entries)
    tags.set(this.#tags)
    const grown = Math.max(MIN_LENGTH, Math.ceil(length * GROWTH))
    const memory = memoryFor(grown, this.#entries.buffer, this.#memory)
    this.#entries = new Uint32Array(memory, 0, grown).fill(0)
    this.#tags = new Uint16Array(memory, Uint32Array.BYTES_PER_ELEMENT * grown, grown)
    for (let at = 0; at < length; at++) if (entries[at] !== 0) this.#place(tags[at]!, entries[at]!)
  }

  #place(tag: number, slot: number): void {
    const length = this.#entries.length
    let at = homeOf(tag, length)
    while (this.#entries[at] !== 0) at = at + 1 === length ? 0 : at + 1
    this.#entries[at] = slot
    this.#tags[at] = tag
  }
}

/** Between 0.6 and 0.75 are taken: at most 10 bytes an entry, and a look passes over few slots, which lie together. */
const MAX_LOAD = 0.75
const GROWTH = 1.25
const MIN_LENGTH = 8
const SLOT_BYTES = Uint32Array.BYTES_PER_ELEMENT + Uint16Array.BYTES_PER_ELEMENT
const NO_ENTRIES = new Uint32Array(1)
const NO_TAGS = new Uint16Array(1)

function homeOf(tag: number, length: number): number {
  return ((tag * length) / 0x10000) | 0
}

/** What slots grow out of, for the moment in which they do. */
let oldEntries = new Uint32Array(0)
let oldTags = new Uint16Array(0)

function roomFor<T extends Uint32Array | Uint16Array>(
  there: T,
  length: number,
  kind: new (length: number) => T,
): T {
  return there.length >= length ? there : new kind(Math.ceil(length * GROWTH))
}

/** Memory for more slots: in place where it is kept, else the old is given back at once. */
function memoryFor(length: number, old: ArrayBufferLike, kind: MemoryKind): ArrayBufferLike {
  const isFirst = old === NO_ENTRIES.buffer
  if (kind === 'dropped') {
    if (!isFirst) (old as ArrayBuffer).transfer(0)
    return new ArrayBuffer(length * SLOT_BYTES)
  }
  if (isFirst) return new SharedArrayBuffer(length * SLOT_BYTES, { maxByteLength: MAX_BYTES })
  ;(old as SharedArrayBuffer).grow(length * SLOT_BYTES)
  return old
}

const PAGE_BYTES = 4_096
/** Nothing but addresses, until it is used; a thousand times as much has room for a billion keys. */
const MAX_BYTES = 16 * 2 ** 20
