import { Buffer } from 'node:buffer'
import type { Hit, Hits } from '@freshet/records/hit.ts'

/** Where the parts of one hit lie in the response, and its numbers. */
export interface CutHit {
  readonly index: string
  /** Of `_id`, between its quotes. */
  readonly idFrom: number
  readonly idTo: number
  /** Without escapes: the bytes are the text. */
  readonly isIdPlain: boolean
  readonly sourceFrom: number
  readonly sourceTo: number
  readonly seqNo: number
  readonly primaryTerm: number
  readonly isInScope: boolean
}

const ID_FROM = 0
const ID_TO = 1
const SOURCE_FROM = 2
const SOURCE_TO = 3
const SEQ_NO = 4
const PRIMARY_TERM = 5
const FLAGS = 6
const COLUMNS = 7

const IN_SCOPE = 1
const PLAIN_ID = 2

/** Hits are rarely shorter: so the table is rarely too small, and never much too large. */
const HIT_BYTES = 256

/**
 * The hits of one response as a table of where their parts lie. A page stays until Kafka has acknowledged it; as objects,
 * its hits would be copied by every garbage collection until then. A hit is made when it is asked for.
 */
export class SearchHits implements Hits {
  readonly #response: Buffer
  readonly #indices: string[] = []
  #table: Float64Array

  constructor(response: Buffer) {
    this.#response = response
    this.#table = new Float64Array(Math.ceil(response.length / HIT_BYTES) * COLUMNS)
  }

  get length(): number {
    return this.#indices.length
  }

  add(hit: CutHit): void {
    const start = this.#indices.length * COLUMNS
    if (start === this.#table.length) {
      const larger = new Float64Array(2 * start)
      larger.set(this.#table)
      this.#table = larger
    }
    const table = this.#table
    table[start + ID_FROM] = hit.idFrom
    table[start + ID_TO] = hit.idTo
    table[start + SOURCE_FROM] = hit.sourceFrom
    table[start + SOURCE_TO] = hit.sourceTo
    table[start + SEQ_NO] = hit.seqNo
    table[start + PRIMARY_TERM] = hit.primaryTerm
    table[start + FLAGS] = (hit.isInScope ? IN_SCOPE : 0) | (hit.isIdPlain ? PLAIN_ID : 0)
    this.#indices.push(hit.index)
  }

  at(row: number): SearchHit | undefined {
    const { length } = this.#indices
    const at = row < 0 ? length + row : row
    if (at < 0 || at >= length) return undefined
    return new SearchHit(this.#response, this.#indices[at]!, this.#table, at * COLUMNS)
  }

  *[Symbol.iterator](): Generator<SearchHit, undefined> {
    for (let row = 0; row < this.length; row++) yield this.at(row)!
  }
}

/** Small, and meant to be let go of soon: what it has is made each time that it is asked for. */
class SearchHit implements Hit {
  readonly index: string
  readonly #response: Buffer
  readonly #table: Float64Array
  readonly #start: number

  constructor(response: Buffer, index: string, table: Float64Array, start: number) {
    this.index = index
    this.#response = response
    this.#table = table
    this.#start = start
  }

  get id(): string {
    const from = this.#table[this.#start + ID_FROM]!
    const to = this.#table[this.#start + ID_TO]!
    return this.#has(PLAIN_ID)
      ? this.#response.toString('utf8', from, to)
      : (JSON.parse(this.#response.toString('utf8', from - 1, to + 1)) as string).toWellFormed() // as its bytes say it
  }

  get idBytes(): Buffer {
    if (!this.#has(PLAIN_ID)) return Buffer.from(this.id)
    return this.#response.subarray(this.#table[this.#start + ID_FROM], this.#table[this.#start + ID_TO])
  }

  get source(): Buffer {
    return this.#response.subarray(
      this.#table[this.#start + SOURCE_FROM],
      this.#table[this.#start + SOURCE_TO],
    )
  }

  get seqNo(): number {
    return this.#table[this.#start + SEQ_NO]!
  }

  get primaryTerm(): number {
    return this.#table[this.#start + PRIMARY_TERM]!
  }

  get isInScope(): boolean {
    return this.#has(IN_SCOPE)
  }

  #has(flag: number): boolean {
    return (this.#table[this.#start + FLAGS]! & flag) !== 0
  }
}
