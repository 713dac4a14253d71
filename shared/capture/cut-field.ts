import { Buffer } from 'node:buffer'
import { JsonScanner } from '@freshet/adapters/elasticsearch/json-scanner.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * Cuts one field out of a document's bytes. A path `a.b` finds `{"a":{"b":1}}` as well as `{"a.b":1}`, as Elasticsearch
 * does; where it is there more than once, the last counts. What lies in a list is not found.
 */
export class FieldCutter {
  readonly #path: Buffer

  constructor(path: string) {
    this.#path = Buffer.from(path)
  }

  /**
   * A string's text, or the digits of a whole number as they are written.
   * @param source one JSON object.
   * @returns a view of `source` where nothing had to be decoded; undefined when there is nothing of the kind
   */
  text(source: Buffer): Buffer | undefined {
    const value = this.#find(source)
    if (value === undefined) return undefined
    if (value[0] === QUOTE)
      return value.includes(BACKSLASH) ? Buffer.from(decode(value)) : value.subarray(1, -1)
    return isWhole(value) ? value : undefined
  }

  /** A whole number from 0 to 2^53; undefined when there is nothing of the kind. */
  count(source: Buffer): number | undefined {
    const value = this.#find(source)
    if (value === undefined || !isWhole(value)) return undefined
    const count = Number(value.toString('latin1'))
    return count >= 0 && Number.isSafeInteger(count) ? Math.abs(count) : undefined
  }

  /** What stands there instead, for people: `a list`, `a string of 3 bytes`, …; undefined when there is nothing. */
  describe(source: Buffer): string | undefined {
    const value = this.#find(source)
    if (value === undefined) return undefined
    if (value[0] === QUOTE)
      return value.length === 2 ? 'an empty string' : `a string of ${value.length - 2} bytes`
    return KINDS[String.fromCharCode(value[0]!)] ?? 'a number'
  }

  #find(source: Buffer): Buffer | undefined {
    return new JsonScanner(source).find(this.#path)
  }
}

/** @throws HIT_MALFORMED */
function decode(text: Buffer): string {
  return new JsonScanner(text).json() as string
}

/** By the first character. */
const KINDS: Readonly<Record<string, string>> = {
  '{': 'an object',
  '[': 'a list',
  t: 'a boolean',
  f: 'a boolean',
  n: 'null',
}

const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39

function isWhole(value: Buffer): boolean {
  const first = value[0] === MINUS ? 1 : 0
  for (let at = first; at < value.length; at++) if (value[at]! < ZERO || value[at]! > NINE) return false
  return value.length > first
}
