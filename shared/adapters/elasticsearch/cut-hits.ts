/**
 * Cuts a search response into hits without parsing the documents: each `_source` stays the bytes that Elasticsearch
 * sent, so longs above 2^53, repeated keys and escapes survive, and no time goes into objects nobody reads.
 */
import type { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { Hit } from '@freshet/records/hit.ts'

export interface SearchPage {
  readonly timedOut: boolean
  readonly shards: { readonly total: number; readonly successful: number; readonly failed: number }
  readonly hits: readonly Hit[]
}

/** @throws HIT_MALFORMED when the bytes are not a search response */
export function cutSearchPage(response: Buffer): SearchPage {
  const scan = new Scanner(response)
  let timedOut: unknown
  let shards: unknown
  let hits: Hit[] | undefined
  scan.object((name) => {
    if (name === 'timed_out') timedOut = scan.json()
    else if (name === '_shards') shards = scan.json()
    else if (name === 'hits') hits = cutHits(scan)
    else scan.skip()
  })
  if (typeof timedOut !== 'boolean' || !isShardCount(shards) || hits === undefined)
    throw malformed('no timed_out, _shards and hits in the response')
  return { timedOut, shards, hits }
}

function cutHits(scan: Scanner): Hit[] {
  const hits: Hit[] = []
  scan.object((name) => {
    if (name === 'hits') scan.array(() => hits.push(cutHit(scan)))
    else scan.skip()
  })
  return hits
}

function cutHit(scan: Scanner): Hit {
  let index: unknown
  let id: unknown
  let seqNo: unknown
  let primaryTerm: unknown
  let source: Buffer | undefined
  scan.object((name) => {
    if (name === '_index') index = scan.json()
    else if (name === '_id') id = scan.json()
    else if (name === '_seq_no') seqNo = scan.json()
    else if (name === '_primary_term') primaryTerm = scan.json()
    else if (name === '_source') source = scan.bytes()
    else scan.skip()
  })
  if (typeof index !== 'string' || typeof id !== 'string') throw malformed('a hit without _index and _id')
  if (!Number.isSafeInteger(seqNo) || !Number.isSafeInteger(primaryTerm) || (seqNo as number) < 0)
    throw new FreshetError('INDEX_NOT_CAPTURABLE', `${index} answers without sequence numbers`)
  if (source === undefined) throw new FreshetError('INDEX_NOT_CAPTURABLE', `${index} answers without _source`)
  return { index, id, seqNo: seqNo as number, primaryTerm: primaryTerm as number, source }
}

function isShardCount(value: unknown): value is SearchPage['shards'] {
  const { total, successful, failed } = (value ?? {}) as Record<string, unknown>
  return [total, successful, failed].every(Number.isSafeInteger)
}

const FIRST_PRINTABLE = 0x20
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const ZERO = 0x30
const ONE = 0x31
const NINE = 0x39
const MAX_SAFE_DIGITS = 15
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** Walks JSON bytes from left to right; every method stands before a value and ends behind it. */
class Scanner {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  object(member: (name: string) => void): void {
    this.#expect(OPEN_BRACE)
    if (this.#accept(CLOSE_BRACE)) return
    do {
      this.#space()
      const name = this.json()
      if (typeof name !== 'string') throw malformed(`a name expected at byte ${this.#at}`)
      this.#expect(COLON)
      member(name)
    } while (this.#accept(COMMA))
    this.#expect(CLOSE_BRACE)
  }

  array(element: () => void): void {
    this.#expect(OPEN_BRACKET)
    if (this.#accept(CLOSE_BRACKET)) return
    do element()
    while (this.#accept(COMMA))
    this.#expect(CLOSE_BRACKET)
  }

  /** The value, parsed. Meant for small ones. */
  json(): unknown {
    this.#space()
    const from = this.#at
    this.skip()
    const plain = this.#plain(from, this.#at)
    if (plain !== undefined) return plain
    try {
      return JSON.parse(this.#bytes.toString('utf8', from, this.#at))
    } catch (cause) {
      throw malformed(`not JSON before byte ${this.#at}`, cause)
    }
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

  #skipNested(): void {
    const bytes = this.#bytes
    let depth = 0
    do {
      const byte = bytes[this.#at]
      if (byte === undefined) throw malformed('the response is cut off')
      if (byte === QUOTE) {
        this.#skipString()
        continue
      }
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--
      this.#at++
    } while (depth > 0)
  }

  #skipString(): void {
    const bytes = this.#bytes
    let at = this.#at + 1
    for (let byte = bytes[at]; byte !== QUOTE; byte = bytes[at]) {
      if (byte === undefined) throw malformed('the response is cut off')
      at += byte === BACKSLASH ? 2 : 1
    }
    this.#at = at + 1
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

function malformed(what: string, cause?: unknown): FreshetError {
  return new FreshetError(
    'HIT_MALFORMED',
    `not a search response: ${what}`,
    cause === undefined ? {} : { cause },
  )
}
