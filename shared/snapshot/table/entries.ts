/**
 * The entries of a table, off the JS heap, in segments of 16,384: what is there is never copied to make room, and the room
 * that nobody uses is at most one segment. An entry has seven words and some doubles:
 *
 *     words    [owner's] [hash] [hash] [hash] [owner's] [owner's] [owner's]
 *     doubles  [owner's…], as many as the segment's `width`
 *
 * No key text is kept: 96 bits tell keys apart, so among 10 million keys a collision has a chance of about 1e-15.
 */
export class Entries {
  readonly #segments: Segment[] = []
  /** Entries ever made; those that were freed are used again. */
  #made = 0
  #free: number[] = []
  readonly #memory: MemoryKind

  constructor(memory: MemoryKind) {
    this.#memory = memory
  }

  get count(): number {
    return this.#made - this.#free.length
  }

  /** Entries up to here may have been freed. */
  get made(): number {
    return this.#made
  }

  get bytes(): number {
    return this.#segments.reduce(
      (sum, { words, doubles }) => sum + words.byteLength + doubles.byteLength,
      this.#free.length * 8,
    )
  }

  at(entry: number): Segment {
    return this.#segments[entry >>> SEGMENT_BITS]!
  }

  /** Compares words 0 to 2 of a hash. */
  isOf(entry: number, hash: Uint32Array): boolean {
    const { words } = this.at(entry)
    const at = wordOf(entry)
    return words[at + 1] === hash[0] && words[at + 2] === hash[1] && words[at + 3] === hash[2]
  }

  /** @param width doubles of an entry. @returns an entry whose own words and doubles hold anything */
  make(hash: Uint32Array, width: number): number {
    const entry = this.#free.pop() ?? this.#made++
    if (entry >>> SEGMENT_BITS === this.#segments.length) this.#segments.push(this.#newSegment(width))
    const { words } = this.at(entry)
    const at = wordOf(entry)
    words[at + 1] = hash[0]!
    words[at + 2] = hash[1]!
    words[at + 3] = hash[2]!
    return entry
  }

  free(entry: number): void {
    this.#free.push(entry)
  }

  /** Gives the entries of one segment more doubles behind what they have; the new ones are 0. */
  widen(entry: number, width: number): Segment {
    const old = this.at(entry)
    const segment = {
      words: old.words,
      doubles: new Float64Array(this.#allocate(8 * SEGMENT * width)),
      width,
    }
    // Copied as words: a double that is no number may lose its bits.
    const from = new Uint32Array(old.doubles.buffer)
    const to = new Uint32Array(segment.doubles.buffer)
    for (let i = 0; i < SEGMENT; i++)
      for (let word = 0; word < old.width * 2; word++)
        to[i * width * 2 + word] = from[i * old.width * 2 + word]!
    this.#segments[entry >>> SEGMENT_BITS] = segment
    return segment
  }

  #newSegment(width: number): Segment {
    return {
      words: new Uint32Array(this.#allocate(4 * SEGMENT * ENTRY_WORDS)),
      doubles: new Float64Array(this.#allocate(8 * SEGMENT * width)),
      width,
    }
  }

  #allocate(bytes: number): ArrayBufferLike {
    return this.#memory === 'kept' ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes)
  }
}

/**
 * What is `kept` as long as the process lives is memory that could be shared, which it is not: V8 does not count it. What it
 * counts has it mark the whole heap after each 16 MB more. And it can grow in place. But nor does it hurry to collect such
 * memory, so a table that comes and goes is `dropped`.
 */
export type MemoryKind = 'kept' | 'dropped'

export interface Segment {
  readonly words: Uint32Array
  readonly doubles: Float64Array
  /** Doubles of an entry. */
  readonly width: number
}

const SEGMENT_BITS = 14
const SEGMENT = 1 << SEGMENT_BITS
const ENTRY_WORDS = 7

/** Where an entry's words begin in its segment. */
export function wordOf(entry: number): number {
  return (entry & (SEGMENT - 1)) * ENTRY_WORDS
}

/** Where an entry's doubles begin in its segment. */
export function doubleOf(entry: number, width: number): number {
  return (entry & (SEGMENT - 1)) * width
}
