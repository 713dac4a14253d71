/** What a scalar of a JSON text is; those of a document stand in its `Scalars` in their order. */
export const KIND = { null: 0, true: 1, false: 2, number: 3, ascii: 4, utf8: 5, escaped: 6 } as const

/** Of one document; one that has more is nothing for us. */
export const MAX_SCALARS = 512

/** Reads the scalars of a JSON text, exactly as strict as JSON.parse, and notes where each stands. Makes no objects. */
export class Scalars {
  count = 0
  /** KIND of each. */
  readonly kinds = new Uint8Array(MAX_SCALARS)
  /** Of a string: between its quotes. */
  readonly starts = new Int32Array(MAX_SCALARS)
  readonly ends = new Int32Array(MAX_SCALARS)
  /** What a number says; NaN where its text must be asked, which LayoutReader does. */
  readonly numbers = new Float64Array(MAX_SCALARS)

  /** @returns behind the scalar that begins at `at`; -1 when none does. */
  read(bytes: Uint8Array, at: number, to: number): number {
    if (at >= to || this.count === MAX_SCALARS) return -1
    const first = bytes[at]!
    if (first === QUOTE) return this.#readString(bytes, at + 1, to)
    if (first === MINUS || (first >= ZERO && first <= NINE)) return this.#readNumber(bytes, at, to)
    if (first === LETTER_N) return this.#readWord(bytes, at, to, NULL, KIND.null)
    if (first === LETTER_T) return this.#readWord(bytes, at, to, TRUE, KIND.true)
    if (first === LETTER_F) return this.#readWord(bytes, at, to, FALSE, KIND.false)
    return -1
  }

  #readString(bytes: Uint8Array, start: number, to: number): number {
    let kind: number = KIND.ascii
    for (let at = start; at < to; at++) {
      const byte = bytes[at]!
      if (byte === QUOTE) {
        this.#put(kind, start, at)
        return at + 1
      }
      if (byte === BACKSLASH) {
        at = endOfEscape(bytes, at, to) - 1
        if (at < 0) return -1
        kind = KIND.escaped
      } else if (byte >= 0x80) {
        if (kind === KIND.ascii) kind = KIND.utf8
      } else if (byte < SPACE) return -1
    }
    return -1
  }

  #readNumber(bytes: Uint8Array, start: number, to: number): number {
    let at = start
    const isNegative = bytes[at] === MINUS
    if (isNegative) at++
    const wholeAt = at
    let digits = 0
    for (; at < to; at++) {
      const digit = bytes[at]! - ZERO
      if (digit < 0 || digit > 9) break
      digits = digits * 10 + digit
    }
    const whole = at - wholeAt
    if (whole === 0 || (whole > 1 && bytes[wholeAt] === ZERO)) return -1
    let fraction = 0
    if (at < to && bytes[at] === DOT) {
      const fractionAt = ++at
      for (; at < to; at++) {
        const digit = bytes[at]! - ZERO
        if (digit < 0 || digit > 9) break
        digits = digits * 10 + digit
      }
      fraction = at - fractionAt
      if (fraction === 0) return -1
    }
    // Both parts of the quotient are exact, so it is the number nearest to what is written.
    let value = digits
    if (whole + fraction > EXACT_DIGITS) value = Number.NaN
    else if (fraction > 0) value /= POWERS[fraction]!
    if (at < to && (bytes[at]! | 0x20) === LETTER_E) {
      at = endOfExponent(bytes, at + 1, to)
      if (at < 0) return -1
      value = Number.NaN
    }
    this.numbers[this.count] = isNegative ? -value : value
    this.#put(KIND.number, start, at)
    return at
  }

  #readWord(bytes: Uint8Array, start: number, to: number, word: Uint8Array, kind: number): number {
    const end = start + word.length
    if (end > to) return -1
    for (let i = 1; i < word.length; i++) if (bytes[start + i] !== word[i]) return -1
    this.#put(kind, start, end)
    return end
  }

  #put(kind: number, start: number, end: number): void {
    const { count } = this
    this.kinds[count] = kind
    this.starts[count] = start
    this.ends[count] = end
    this.count = count + 1
  }
}

/** @returns behind the escape whose backslash stands at `at`; -1 when JSON has no such escape. */
function endOfEscape(bytes: Uint8Array, at: number, to: number): number {
  if (at + 1 >= to) return -1
  const letter = bytes[at + 1]!
  if (letter !== LETTER_U) return SHORT_ESCAPES.includes(letter) ? at + 2 : -1
  if (at + 6 > to) return -1
  for (let i = at + 2; i < at + 6; i++) if (!isHexDigit(bytes[i]!)) return -1
  return at + 6
}

function isHexDigit(byte: number): boolean {
  const lower = byte | 0x20
  return (byte >= ZERO && byte <= NINE) || (lower >= 0x61 && lower <= 0x66)
}

function endOfExponent(bytes: Uint8Array, start: number, to: number): number {
  let at = start
  if (at < to && (bytes[at] === PLUS || bytes[at] === MINUS)) at++
  const digitsAt = at
  while (at < to && bytes[at]! >= ZERO && bytes[at]! <= NINE) at++
  return at === digitsAt ? -1 : at
}

/** So many decimal digits are a whole number below 2^53. */
const EXACT_DIGITS = 15
const POWERS = Float64Array.from({ length: EXACT_DIGITS + 1 }, (_, exponent) => Number(`1e${exponent}`))
const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
const MINUS = 0x2d
const PLUS = 0x2b
const DOT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const LETTER_E = 0x65
const LETTER_F = 0x66
const LETTER_N = 0x6e
const LETTER_T = 0x74
const LETTER_U = 0x75
const SHORT_ESCAPES = Uint8Array.from('"\\/bfnrt', (letter) => letter.charCodeAt(0))
const NULL = Uint8Array.from('null', (letter) => letter.charCodeAt(0))
const TRUE = Uint8Array.from('true', (letter) => letter.charCodeAt(0))
const FALSE = Uint8Array.from('false', (letter) => letter.charCodeAt(0))
