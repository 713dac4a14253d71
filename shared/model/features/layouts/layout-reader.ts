import { Buffer } from 'node:buffer'
import type { Column } from '../../bundle/spec.ts'
import type { Features } from '../features.ts'
import type { Field } from '../fields.ts'
import { parsePlainMs } from '../parse-time.ts'
import { CategoryCodes } from './category-codes.ts'
import { type JsonBytes, Layouts } from './layouts.ts'
import { KIND, Scalars } from './scalars.ts'

/** What is known of a column, without what is counted of it elsewhere. */
export type LayoutField = Omit<Field, 'kind' | 'fits' | 'rows' | 'missing' | 'unknown' | 'sum'>

/** Of the documents that were read here; by field. */
export interface LayoutCounts {
  readonly rows: number
  readonly missing: Float64Array
  readonly unknown: Float64Array
  readonly sums: Float64Array
}

/**
 * Writes the fields of documents as rows straight out of their bytes, where one of the same layout was seen before.
 * Whatever is odd about a document, or wrong, is left to those who parse it: they alone tell problems.
 */
export class LayoutReader {
  readonly #fields: readonly LayoutField[]
  readonly #types: Uint8Array
  readonly #byteCodes: readonly CategoryCodes[]
  readonly #layouts: Layouts
  readonly #scalars = new Scalars()
  /** FOUND of each field of the document in hand. */
  readonly #found: Uint8Array
  readonly #numberWidth: number
  readonly #textWidth: number
  readonly #counts: { rows: number } & Omit<LayoutCounts, 'rows'>
  #isNew = false

  constructor(fields: readonly LayoutField[]) {
    this.#fields = fields
    this.#types = Uint8Array.from(fields, ({ column, isPlainFloat32 }) =>
      isPlainFloat32 ? TYPE.float32 : TYPE[column.type],
    )
    this.#byteCodes = fields.map(({ codes }) => new CategoryCodes(codes))
    this.#layouts = new Layouts(fields.map(({ find }) => find))
    this.#found = new Uint8Array(fields.length)
    this.#textWidth = fields.filter(({ column }) => column.type === 'text').length
    this.#numberWidth = fields.length - this.#textWidth
    const zeros = () => new Float64Array(fields.length)
    this.#counts = { rows: 0, missing: zeros(), unknown: zeros(), sums: zeros() }
  }

  get counts(): LayoutCounts {
    return this.#counts
  }

  /** False when the document must be parsed; the row then holds nothing of meaning. */
  write(text: JsonBytes, from: number, to: number, into: Features, row: number): boolean {
    const layout = this.#layouts.match(text, from, to, this.#scalars)
    this.#isNew = layout === null
    const places = layout?.places
    if (!places) return false
    const { bytes } = text
    const { numbers } = into
    const texts = into.texts as string[]
    let at = row * this.#numberWidth
    let textAt = row * this.#textWidth
    for (let field = 0; field < places.length; field++) {
      if (this.#types[field] === TYPE.text) {
        const value = this.#textAt(bytes, field, places[field]!)
        if (value === undefined) return false
        texts[textAt++] = value
        continue
      }
      if (!this.#writeNumber(bytes, field, places[field]!, numbers, at++)) return false
    }
    this.#count(into, row)
    return true
  }

  /** That `write` was false for it, and JSON.parse made an object of it. */
  parsed(text: JsonBytes, from: number, to: number): void {
    if (this.#isNew) this.#layouts.learn(text, from, to)
  }

  #count({ numbers }: Features, row: number): void {
    const { missing, unknown, sums } = this.#counts
    this.#counts.rows++
    let at = row * this.#numberWidth
    for (let field = 0; field < this.#found.length; field++) {
      const found = this.#found[field]!
      const isText = this.#types[field] === TYPE.text
      if (found === FOUND.missing) missing[field]!++
      else if (!isText) sums[field]! += numbers[at]!
      if (found === FOUND.unknown) unknown[field]!++
      if (!isText) at++
    }
  }

  /** False when it is nothing for the column. Numbers go from array to array: a result of a call may be an object. */
  #writeNumber(
    bytes: Uint8Array,
    index: number,
    place: number,
    into: Features['numbers'],
    at: number,
  ): boolean {
    const kind = this.#kindOf(index, place)
    const type = this.#types[index]!
    if (kind === KIND.null) into[at] = this.#fields[index]!.missingNumber
    else if (type === TYPE.float32 && kind === KIND.number) {
      into[at] = this.#scalars.numbers[place]!
      if (Number.isFinite(into[at])) return true
      into[at] = this.#fields[index]!.read(this.#valueAt(bytes, place, kind))
    } else if (type === TYPE.category) into[at] = this.#categoryAt(bytes, index, place, kind)
    else {
      const isTime = type === TYPE.time && kind === KIND.ascii
      const value = isTime ? this.#timeAt(bytes, place) : this.#valueAt(bytes, place, kind)
      into[at] = this.#fields[index]!.read(value)
    }
    return !Number.isNaN(into[at])
  }

  #textAt(bytes: Uint8Array, index: number, place: number): string | undefined {
    const kind = this.#kindOf(index, place)
    if (kind === KIND.null) return this.#fields[index]!.missingText
    return kind < KIND.ascii ? undefined : this.#stringAt(bytes, place, kind)
  }

  #kindOf(index: number, place: number): number {
    const kind = place < 0 ? KIND.null : this.#scalars.kinds[place]!
    this.#found[index] = kind === KIND.null ? FOUND.missing : FOUND.value
    return kind
  }

  #categoryAt(bytes: Uint8Array, index: number, place: number, kind: number): number {
    if (kind !== KIND.ascii && kind !== KIND.utf8) return Number.NaN
    const { starts, ends } = this.#scalars
    const codes = this.#byteCodes[index]!
    const code = codes.find(bytes, starts[place]!, ends[place]!)
    if (code !== undefined) return code
    if (kind === KIND.utf8 && !codes.knowsAllBytes) return Number.NaN
    this.#found[index] = FOUND.unknown
    return (this.#fields[index]!.column as Extract<Column, { type: 'category' }>).unknown
  }

  /** Milliseconds where the text is a time in its plain form, else the text: a column of times takes either. */
  #timeAt(bytes: Uint8Array, place: number): number | string {
    const { starts, ends } = this.#scalars
    return parsePlainMs(bytes, starts[place]!, ends[place]!) ?? this.#stringAt(bytes, place, KIND.ascii)
  }

  /** As JSON.parse has it. */
  #valueAt(bytes: Uint8Array, place: number, kind: number): unknown {
    if (kind === KIND.number) {
      const number = this.#scalars.numbers[place]!
      return Number.isNaN(number) ? Number(this.#stringAt(bytes, place, KIND.ascii)) : number
    }
    if (kind === KIND.true || kind === KIND.false) return kind === KIND.true
    return this.#stringAt(bytes, place, kind)
  }

  #stringAt(bytes: Uint8Array, place: number, kind: number): string {
    const { starts, ends } = this.#scalars
    const start = starts[place]!
    const slice = Buffer.from(bytes.buffer, bytes.byteOffset + start, ends[place]! - start)
    if (kind === KIND.ascii) return slice.toString('latin1')
    const text = slice.toString()
    return kind === KIND.utf8 ? text : (JSON.parse(`"${text}"`) as string)
  }
}

const TYPE = { number: 0, boolean: 1, category: 2, time: 3, text: 4, float32: 5 } as const
const FOUND = { value: 0, missing: 1, unknown: 2 } as const
