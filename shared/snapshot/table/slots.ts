/**
 * Finds entries by hash: open addressing over two arrays, the entry and 16 bits of its hash. An entry's home follows from
 * those bits alone and rises with them, so growing is one pass over both arrays that looks at no entry.
 */
export class Slots {
  #count = 0
  /** Entry + 1; 0 is empty. */
  #entries = NO_ENTRIES
  #tags = NO_TAGS

  get bytes(): number {
    return this.#entries.byteLength + this.#tags.byteLength
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

  #grow(): void {
    const entries = this.#entries
    const tags = this.#tags
    const length = Math.max(8, Math.ceil(entries.length * GROWTH))
    this.#entries = new Uint32Array(length)
    this.#tags = new Uint16Array(length)
    for (let at = 0; at < entries.length; at++) if (entries[at] !== 0) this.#place(tags[at]!, entries[at]!)
    if (entries === NO_ENTRIES) return
    // Given back at once. Left to the garbage collector, four times of what is kept would call for it again and again.
    entries.buffer.transfer(0)
    tags.buffer.transfer(0)
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
const NO_ENTRIES = new Uint32Array(1)
const NO_TAGS = new Uint16Array(1)

function homeOf(tag: number, length: number): number {
  return ((tag * length) / 0x10000) | 0
}
