/**
 * Dense entries found by hash, in two buffers off the JS heap. An entry is `stride` doubles; the first two hold four
 * words: one for the owner, then the three words of hash that are compared. No key text is kept: with the six bits that
 * chose the shard, 102 bits tell keys apart, so among 10 million keys a collision has a chance of about 1e-17.
 */
export class TableShard {
  #stride: number
  #count = 0
  #words = new Uint32Array(0)
  #doubles = new Float64Array(0)
  /** Eight bits of hash | entry + 1 in 24 bits; 0 is empty. The tag spares nearly all looks at wrong entries. */
  #slots = new Uint32Array(64)

  constructor(stride: number) {
    this.#stride = stride
  }

  get count(): number {
    return this.#count
  }

  get bytes(): number {
    return this.#doubles.byteLength + this.#slots.byteLength
  }

  get stride(): number {
    return this.#stride
  }

  /** Entry e begins at `e * stride * 2`. Valid until the next insert. */
  get words(): Uint32Array {
    return this.#words
  }

  /** Entry e begins at `e * stride`; its first two are words. Valid until the next insert. */
  get doubles(): Float64Array {
    return this.#doubles
  }

  /** The entry of a hash (words 1 to 3 of it), or -1. */
  find(hash: Uint32Array): number {
    const slots = this.#slots
    const words = this.#words
    const mask = slots.length - 1
    const tag = hash[2]! >>> 24
    for (let at = hash[1]! & mask; ; at = (at + 1) & mask) {
      const slot = slots[at]!
      if (slot === 0) return -1
      if (slot >>> 24 !== tag) continue
      const entry = (slot & 0xffffff) - 1
      const word = entry * this.#stride * 2
      if (words[word + 1] === hash[1] && words[word + 2] === hash[2] && words[word + 3] === hash[3])
        return entry
    }
  }

  /** Adds an entry of zeros for a hash that `find` does not know. */
  insert(hash: Uint32Array): number {
    if ((this.#count + 1) * this.#stride > this.#doubles.length) this.#grow()
    if ((this.#count + 1) * 10 > this.#slots.length * 7) this.#rehash()
    const entry = this.#count++
    this.#words.set(hash.subarray(1, 4), entry * this.#stride * 2 + 1)
    this.#place(entry)
    return entry
  }

  /** Gives every entry more room behind what it has. */
  widen(stride: number): void {
    const doubles = new Float64Array(Math.max(this.#count, 1) * stride)
    const words = new Uint32Array(doubles.buffer) // copied as words: a double that is no number may lose its bits
    for (let entry = 0; entry < this.#count; entry++) {
      const from = entry * this.#stride * 2
      words.set(this.#words.subarray(from, from + this.#stride * 2), entry * stride * 2)
    }
    this.#stride = stride
    this.#use(doubles)
  }

  #grow(): void {
    const entries = Math.max(64, Math.ceil(this.#count * 1.25))
    const doubles = new Float64Array(entries * this.#stride)
    new Uint32Array(doubles.buffer).set(this.#words.subarray(0, this.#count * this.#stride * 2))
    this.#use(doubles)
  }

  #use(doubles: Float64Array<ArrayBuffer>): void {
    this.#doubles = doubles
    this.#words = new Uint32Array(doubles.buffer)
  }

  #rehash(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2)
    for (let entry = 0; entry < this.#count; entry++) this.#place(entry)
  }

  #place(entry: number): void {
    const word = entry * this.#stride * 2
    const mask = this.#slots.length - 1
    let at = this.#words[word + 1]! & mask
    while (this.#slots[at] !== 0) at = (at + 1) & mask
    this.#slots[at] = ((this.#words[word + 2]! >>> 24) << 24) | (entry + 1)
  }
}
