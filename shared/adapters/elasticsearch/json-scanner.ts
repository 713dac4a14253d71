import { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'

const FIRST_PRINTABLE = 0x20
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const DOT = 0x2e
const ZERO = 0x30
const ONE = 0x31
const NINE = 0x39
const MAX_SAFE_DIGITS = 15
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

const WORD_SLOTS = 61

const BEGINS_STRING = 1
const OPENS = 2
const CLOSES = 3
/** What a byte does inside a nested value; 0: nothing. */
const ROLES = new Uint8Array(256)
ROLES[QUOTE] = BEGINS_STRING
ROLES[OPEN_BRACE] = ROLES[OPEN_BRACKET] = OPENS
ROLES[CLOSE_BRACE] = ROLES[CLOSE_BRACKET] = CLOSES

interface Word {
  /** With its quotes. */
  readonly bytes: Buffer
  readonly text: string
  /** The word that came after it last time: all hits have their names in the same order. */
  next: Word | undefined
}

/**
 * Walks JSON bytes from left to right; every method stands before a value and ends behind it.
 * @throws HIT_MALFORMED where the bytes are not JSON, or cut off
 */
export class JsonScanner {
  readonly #bytes: Buffer
  #at = 0
  #words: (Word | undefined)[] | undefined
  #lastWord: Word | undefined

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** Where it stands. */
  get at(): number {
    return this.#at
  }

  /** Steps to the value. @returns where its first byte is */
  start(): number {
    this.#space()
    return this.#at
  }

  /** Goes back, or on, to where a value begins. */
  goTo(at: number): void {
    this.#at = at
  }

  /** @returns whether these very bytes are next: then it stands behind them */
  pass(bytes: Buffer): boolean {
    if (!this.#isAt(bytes, this.#at)) return false
    this.#at += bytes.length
    return true
  }

  /** Inside a string: to its end, or to its first escape. */
  passPlainText(): void {
    const bytes = this.#bytes
    let at = this.#at
    for (let byte = bytes[at]; byte !== QUOTE && byte !== BACKSLASH && byte !== undefined; )
      byte = bytes[++at]
    this.#at = at
  }

  /** The whole number whose digits are next; undefined when none is, or one that may be beyond 2^53. */
  passCount(): number | undefined {
    const bytes = this.#bytes
    const from = this.#at
    let at = from
    let value = 0
    for (let byte = bytes[at]!; byte >= ZERO && byte <= NINE; byte = bytes[++at]!)
      value = value * 10 + (byte - ZERO)
    this.#at = at
    return at > from && at - from <= MAX_SAFE_DIGITS ? value : undefined
  }

  /** Steps over a string. @returns whether it has no escapes, so that what is between its quotes is its text */
  skipText(): boolean {
    this.#space()
    if (this.#bytes[this.#at] !== QUOTE) throw malformed(`a string expected at byte ${this.#at}`)
    return this.#skipString()
  }

  /** Steps into an object. @returns the name of its first member, and stands before the value; undefined: none */
  firstName(): string | undefined {
    this.#expect(OPEN_BRACE)
    return this.#accept(CLOSE_BRACE) ? undefined : this.#name()
  }

  /** Behind a member's value. @returns the name of the next member; undefined: none, and stands behind the object */
  nextName(): string | undefined {
    if (this.#accept(COMMA)) return this.#name()
    this.#expect(CLOSE_BRACE)
    return undefined
  }

  #name(): string {
    const name = this.word()
    this.#expect(COLON)
    return name
  }

  array(element: () => void): void {
    this.#expect(OPEN_BRACKET)
    if (this.#accept(CLOSE_BRACKET)) return
    do element()
    while (this.#accept(COMMA))
    this.#expect(CLOSE_BRACKET)
  }

  /**
   * The value at a path of names, which may also stand in one name with dots as Elasticsearch takes them; the last one
   * where it is there more than once. Nothing else is decoded.
   * @param path names with dots between them, UTF-8.
   * @returns its bytes as they are; undefined when there is none, or when what is on the way is no object
   */
  find(path: Buffer, from = 0): Buffer | undefined {
    this.#space()
    if (this.#bytes[this.#at] !== OPEN_BRACE) {
      this.skip()
      return undefined
    }
    let found: Buffer | undefined
    this.#expect(OPEN_BRACE)
    if (this.#accept(CLOSE_BRACE)) return undefined
    do {
      const end = this.#nameAlong(path, from)
      this.#expect(COLON)
      if (end === path.length) found = this.bytes()
      else if (end !== undefined) found = this.find(path, end + 1) ?? found
      else this.skip()
    } while (this.#accept(COMMA))
    this.#expect(CLOSE_BRACE)
    return found
  }

  /** Steps over a name. @returns where in `path` it ends when it is the path's next name, or names; else undefined */
  #nameAlong(path: Buffer, from: number): number | undefined {
    this.#space()
    const quote = this.#at
    if (this.#bytes[quote] !== QUOTE) throw malformed(`a string expected at byte ${quote}`)
    const isPlain = this.#skipString()
    const name = isPlain ? undefined : Buffer.from(this.#parse(quote) as string)
    const length = name === undefined ? this.#at - quote - 2 : name.length
    const end = from + length
    if (end !== path.length && path[end] !== DOT) return undefined
    const isNext =
      name === undefined
        ? path.compare(this.#bytes, quote + 1, quote + 1 + length, from, end) === 0
        : path.compare(name, 0, length, from, end) === 0
    return isNext ? end : undefined
  }

  /** A string that comes again and again, such as a name: decoded once, then known by its bytes. */
  word(): string {
    this.#space()
    const expected = this.#lastWord?.next
    const isExpected = expected !== undefined && this.#isAt(expected.bytes, this.#at)
    const word = isExpected ? expected : this.#readWord()
    if (isExpected) this.#at += expected.bytes.length
    else if (this.#lastWord !== undefined) this.#lastWord.next = word
    this.#lastWord = word
    return word.text
  }

  #readWord(): Word {
    const from = this.#at
    if (this.#bytes[from] !== QUOTE) throw malformed(`a string expected at byte ${from}`)
    this.#skipString()
    const to = this.#at
    const slot = (to - from + 7 * (this.#bytes[from + 2] ?? 0) + this.#bytes[to - 2]!) % WORD_SLOTS
    const words = (this.#words ??= new Array<Word | undefined>(WORD_SLOTS))
    const known = words[slot]
    if (known !== undefined && known.bytes.length === to - from && this.#isAt(known.bytes, from)) return known
    this.#at = from
    // As the name of a property it is kept once, so that comparing it with a literal compares addresses.
    const text = Object.keys({ [this.json() as string]: 0 })[0]!
    const word = { bytes: this.#bytes.subarray(from, to), text, next: undefined }
    words[slot] = word
    return word
  }

  #isAt(bytes: Buffer, from: number): boolean {
    const all = this.#bytes
    for (let i = 0; i < bytes.length; i++) if (bytes[i] !== all[from + i]) return false
    return true
  }

  /** The value, parsed. Meant for small ones. */
  json(): unknown {
    this.#space()
    const from = this.#at
    this.skip()
    return this.#plain(from, this.#at) ?? this.#parse(from)
  }

  #parse(from: number): unknown {
    try {
      return JSON.parse(this.#bytes.toString('utf8', from, this.#at))
    } catch (cause) {
      throw malformed(`not JSON before byte ${this.#at}`, cause)
    }
  }

  /** The texts of a list; what else is in it is passed over. */
  texts(): readonly string[] {
    const value = this.json()
    if (!Array.isArray(value)) throw malformed(`a list expected before byte ${this.#at}`)
    return value.filter((text) => typeof text === 'string')
  }

  /** The value's bytes as they are. */
  bytes(): Buffer {
    this.#space()
    const from = this.#at
    this.skip()
    return this.#bytes.subarray(from, this.#at)
  }

  /**
   * A text without escapes or a whole number, which nearly all small values are; undefined for others. To parse them
   * all costs as much as the rest of the cutting.
   */
  #plain(from: number, to: number): string | number | undefined {
    const bytes = this.#bytes
    const first = bytes[from]!
    if (first === QUOTE) {
      for (let at = from + 1; at < to - 1; at++)
        if (bytes[at] === BACKSLASH || bytes[at]! < FIRST_PRINTABLE) return undefined
      return bytes.toString('utf8', from + 1, to - 1)
    }
    if (first < ONE || first > NINE || to - from > MAX_SAFE_DIGITS) return undefined
    let value = 0
    for (let at = from; at < to; at++) {
      const byte = bytes[at]!
      if (byte < ZERO || byte > NINE) return undefined
      value = value * 10 + (byte - ZERO)
    }
    return value
  }

  skip(): void {
    this.#space()
    const first = this.#bytes[this.#at]
    if (first === QUOTE) this.#skipString()
    else if (first === OPEN_BRACE || first === OPEN_BRACKET) this.#skipNested()
    else this.#skipScalar()
  }

  /** The bytes of all documents pass here, so strings are stepped over in place, and what may stay unseen by one look-up. */
  #skipNested(): void {
    const bytes = this.#bytes
    const { length } = bytes
    let at = this.#at
    let depth = 0
    while (at < length) {
      const role = ROLES[bytes[at++]!]
      if (role === 0) continue
      if (role === OPENS) depth++
      else if (role === BEGINS_STRING) {
        for (let inside = bytes[at++]; inside !== QUOTE; inside = bytes[at++]) {
          if (inside === undefined) throw malformed('the response is cut off')
          if (inside === BACKSLASH) at++
        }
      } else if (--depth === 0) {
        this.#at = at
        return
      }
    }
    throw malformed('the response is cut off')
  }

  /** @returns whether it has no escapes */
  #skipString(): boolean {
    const bytes = this.#bytes
    let isPlain = true
    let at = this.#at + 1
    for (let byte = bytes[at]; byte !== QUOTE; byte = bytes[at]) {
      if (byte === undefined) throw malformed('the response is cut off')
      if (byte === BACKSLASH) {
        isPlain = false
        at++
      }
      at++
    }
    this.#at = at + 1
    return isPlain
  }

  #skipScalar(): void {
    const from = this.#at
    for (
      let byte = this.#bytes[this.#at];
      byte !== undefined && !endsScalar(byte);
      byte = this.#bytes[++this.#at]
    );
    if (this.#at === from) throw malformed(`a value expected at byte ${from}`)
  }

  #accept(wanted: number): boolean {
    this.#space()
    if (this.#bytes[this.#at] !== wanted) return false
    this.#at++
    return true
  }

  #expect(wanted: number): void {
    if (!this.#accept(wanted)) throw malformed(`${String.fromCharCode(wanted)} expected at byte ${this.#at}`)
  }

  #space(): void {
    for (
      let byte = this.#bytes[this.#at];
      byte !== undefined && byte <= 0x20;
      byte = this.#bytes[++this.#at]
    );
  }
}

function endsScalar(byte: number): boolean {
  return byte <= 0x20 || byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET
}

export function malformed(what: string, cause?: unknown): FreshetError {
  return new FreshetError(
    'HIT_MALFORMED',
    `not a search response: ${what}`,
    cause === undefined ? {} : { cause },
  )
}
