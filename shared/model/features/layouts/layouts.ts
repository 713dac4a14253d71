import { Buffer } from 'node:buffer'
import { MAX_SCALARS, type Scalars } from './scalars.ts'

/** What all documents have in common that are alike but for their scalars. */
export interface Layout {
  /**
   * Of each place that was asked for: which scalar of the document stands there; -1: none. null: an object or a list
   * stands at one of them, and all is for JSON.parse.
   */
  readonly places: Int16Array | null
}

/** A literal that leads to the next scalar, or to the end. */
interface Edge {
  readonly literal: Uint8Array
  /** Its first bytes four by four, little-endian. */
  readonly words: Int32Array
  /** Where literals go on behind the scalar that follows; null at the end. */
  readonly next: Edge[]
  readonly layout: Layout | null
}

/** Bytes, of which some may be a JSON text. */
export interface JsonBytes {
  readonly bytes: Uint8Array
  /** Of the same. */
  readonly view: DataView
}

/** To be made once for many texts: it costs what a text costs. */
export function jsonBytes(bytes: Uint8Array): JsonBytes {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) }
}

/** Finds a place in a parsed document; undefined where it has no such place. */
type Finder = (root: object) => unknown

/**
 * Documents that one system writes are alike: all bytes but those of their scalars are the same, over and over. What
 * JSON.parse has once accepted, and where the fields stood in it, is remembered; a document that has the same bytes around
 * scalars as valid as JSON wants them is then as valid, and its fields stand at the same places. So nothing is parsed,
 * and no object is made of it. All others, malformed ones among them, are left to JSON.parse. why: decisions/0016
 */
export class Layouts {
  readonly #finders: readonly Finder[]
  /** Layouts as a tree of literals, since most differ in a field or two. */
  #roots: Edge[] = []
  #known = 0
  #found = 0
  #missed = 0
  /** Documents for which nothing is looked up: theirs are too many shapes. */
  #restDocuments = 0

  /** @param finders of the places that are asked for. */
  constructor(finders: readonly Finder[]) {
    this.#finders = finders
  }

  /** @param scalars is filled. @returns null for JSON.parse to decide. */
  match(text: JsonBytes, from: number, to: number, scalars: Scalars): Layout | null {
    if (this.#restDocuments > 0) {
      this.#restDocuments--
      return null
    }
    const layout = this.#walk(text, from, to, scalars)
    if (layout === null) this.#missed++
    else this.#found++
    return layout
  }

  #walk({ bytes, view }: JsonBytes, from: number, to: number, scalars: Scalars): Layout | null {
    scalars.count = 0
    let at = from
    let edges = this.#roots
    for (;;) {
      const edge = edgeAt(edges, view, at, to)
      if (edge === null) return null
      at += edge.literal.length
      if (edge.layout !== null) return at === to ? edge.layout : null
      at = scalars.read(bytes, at, to)
      if (at < 0) return null
      edges = edge.next
    }
  }

  /** @param bytes of a JSON object that no layout matches, and that JSON.parse accepts. */
  learn({ bytes }: JsonBytes, from: number, to: number): void {
    if (this.#restDocuments > 0) return
    if (this.#known === MAX_LAYOUTS) {
      this.#forgetUseless()
      return
    }
    this.#known++ // also what cannot be kept: it is not tried for ever
    if (to - from > MAX_BYTES) return
    const literals = literalsOf(bytes, from, to)
    if (literals.length > MAX_SCALARS) return
    const layout = this.#layoutOf(literals)
    let edges = this.#roots
    for (const [index, literal] of literals.entries()) {
      const isLast = index === literals.length - 1
      let edge = edges.find((known) => Buffer.compare(known.literal, literal) === 0)
      if (edge === undefined) {
        edge = {
          literal: Uint8Array.from(literal),
          words: wordsOf(literal),
          next: [],
          layout: isLast ? layout : null,
        }
        edges.push(edge)
        // Of two that match, only the longer one can be meant: a scalar does not begin as a literal goes on.
        edges.sort((a, b) => b.literal.length - a.literal.length)
      }
      edges = edge.next
    }
  }

  /** Full: when most documents are of no known shape, either others came or there are too many to know. */
  #forgetUseless(): void {
    if (this.#found + this.#missed < WINDOW_DOCUMENTS) return
    if (this.#missed > this.#found) {
      this.#roots = []
      this.#known = 0
      this.#restDocuments = REST_DOCUMENTS
    }
    this.#found = this.#missed = 0
  }

  #layoutOf(literals: readonly Uint8Array[]): Layout {
    const parts = literals.flatMap((literal, index) =>
      index === 0 ? [literal] : [Buffer.from(`${index - 1}`), literal],
    )
    const numbered: object = JSON.parse(Buffer.concat(parts).toString())
    const places = new Int16Array(this.#finders.length)
    for (const [place, find] of this.#finders.entries()) {
      const found = find(numbered)
      if (typeof found === 'object') return { places: null }
      places[place] = typeof found === 'number' ? found : -1
    }
    return { places }
  }
}

function edgeAt(edges: readonly Edge[], view: DataView, at: number, to: number): Edge | null {
  for (let i = 0; i < edges.length; i++) {
    const edge = edges[i]!
    if (startsWith(view, at, to, edge)) return edge
  }
  return null
}

function startsWith(view: DataView, start: number, to: number, { literal, words }: Edge): boolean {
  const { length } = literal
  if (start + length > to) return false
  let at = start
  for (let i = 0; i < words.length; i++, at += 4) if (view.getInt32(at, true) !== words[i]) return false
  for (let i = words.length * 4; i < length; i++, at++) if (view.getUint8(at) !== literal[i]) return false
  return true
}

function wordsOf(literal: Uint8Array): Int32Array {
  const view = new DataView(literal.buffer, literal.byteOffset, literal.length)
  return Int32Array.from({ length: literal.length >>> 2 }, (_, word) => view.getInt32(word * 4, true))
}

/** What stands before, between and behind the scalars of a valid JSON text; names of fields are no scalars. */
function literalsOf(bytes: Uint8Array, from: number, to: number): Uint8Array[] {
  const literals: Uint8Array[] = []
  const isObject: boolean[] = []
  let isName = false
  let literalAt = from
  for (let at = from; at < to; ) {
    const byte = bytes[at]!
    if (byte === QUOTE || !STRUCTURE.has(byte)) {
      const end = byte === QUOTE ? endOfString(bytes, at + 1) : endOfWord(bytes, at, to)
      if (!isName) {
        literals.push(bytes.subarray(literalAt, at))
        literalAt = end
      }
      at = end
      continue
    }
    if (byte === OBJECT || byte === LIST) isObject.push(byte === OBJECT)
    else if (byte === OBJECT_END || byte === LIST_END) isObject.pop()
    if (byte === OBJECT || byte === COMMA) isName = isObject.at(-1) === true
    else if (byte === COLON || byte === LIST) isName = false
    at++
  }
  literals.push(bytes.subarray(literalAt, to))
  return literals
}

function endOfString(bytes: Uint8Array, start: number): number {
  let at = start
  while (bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
  return at + 1
}

function endOfWord(bytes: Uint8Array, start: number, to: number): number {
  let at = start
  while (at < to && !STRUCTURE.has(bytes[at]!)) at++
  return at
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OBJECT = 0x7b
const OBJECT_END = 0x7d
const LIST = 0x5b
const LIST_END = 0x5d
const STRUCTURE = new Set([COMMA, COLON, OBJECT, OBJECT_END, LIST, LIST_END, 0x20, 0x09, 0x0a, 0x0d])

const MAX_LAYOUTS = 512
/** Of a document that is learnt from. */
const MAX_BYTES = 16 * 1024
const WINDOW_DOCUMENTS = 1_024
const REST_DOCUMENTS = 65_536
