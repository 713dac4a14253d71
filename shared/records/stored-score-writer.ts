import { Buffer } from 'node:buffer'
import { modelLabel, STATE, stateAt } from './score-batch.ts'
import { MAX_SHORT_NUMBER_BYTES, shortLineage, shortNumber, writeShortNumber } from './short-rank.ts'
import type { RowsModel, StoredRows } from './stored-rows.ts'
import { STORED_SCORE_VERSION } from './stored-score.ts'

/** What the values of one model have in common. */
interface ModelParts {
  readonly generation: Uint8Array
  /** ` name@version ` */
  readonly label: Uint8Array
  readonly outputs: readonly { readonly before: Uint8Array; readonly values: Float64Array }[]
}

/**
 * Writes values as `encodeStoredScore` encodes them, from columns into bytes. A text for each was most of what a merge
 * left to the garbage collector. why: decisions/0037
 */
export class StoredScoreWriter {
  /** No value of these rows takes more. */
  readonly maxBytes: number
  readonly #rows: StoredRows
  readonly #models = new Map<number, ModelParts>()
  #model: ModelParts | undefined
  #generation = -1
  /** Neighbours mostly come from one shard, and so does the beginning of their ranks. */
  #lineage: Uint8Array = new Uint8Array(0)
  #documentVersion = -1
  #epoch = -1
  #primaryTerm = -1

  constructor(rows: StoredRows) {
    this.#rows = rows
    let maxBytes = 0
    for (const [generation, model] of rows.schema.models) {
      const parts = partsOf(model, generation, rows)
      this.#models.set(generation, parts)
      maxBytes = Math.max(maxBytes, maxBytesOf(parts))
    }
    this.maxBytes = maxBytes
  }

  /** @param into has room for `maxBytes` from `start` on. @returns where the value ends */
  write(row: number, into: Uint8Array, start: number): number {
    const { seqNos, asOfMs, scoredAtMs, states } = this.#rows
    const { generation, label, outputs } = this.#modelOf(row)
    let at = put(this.#lineageOf(row), into, start)
    at = writeShortNumber(seqNos[row]!, into, at)
    at = put(generation, into, at)
    into[at++] = SPACE
    at = writeWhole(asOfMs[row]!, into, at)
    into[at++] = SPACE
    const laterMs = scoredAtMs[row]! - asOfMs[row]!
    if (laterMs >= 0) into[at++] = PLUS
    at = writeWhole(laterMs, into, at)
    at = put(label, into, at)
    if (states[row] !== STATE.scored) return writeText(stateAt(this.#rows, row), into, at)
    if (outputs.length === 0) into[at++] = OPEN
    for (const { before, values } of outputs) {
      at = put(before, into, at)
      const value = values[row]!
      at = writeText(Number.isFinite(value) ? `${value}` : 'null', into, at)
    }
    into[at++] = CLOSE
    return at
  }

  #modelOf(row: number): ModelParts {
    const generation = this.#rows.modelGenerations[row]!
    if (this.#model === undefined || generation !== this.#generation) {
      this.#model = this.#models.get(generation)!
      this.#generation = generation
    }
    return this.#model
  }

  #lineageOf(row: number): Uint8Array {
    const documentVersion = this.#rows.documentVersions[row]!
    const epoch = this.#rows.epochs[row]!
    const primaryTerm = this.#rows.primaryTerms[row]!
    const isLast =
      epoch === this.#epoch && primaryTerm === this.#primaryTerm && documentVersion === this.#documentVersion
    if (isLast) return this.#lineage
    this.#lineage = bytesOf(STORED_SCORE_VERSION + shortLineage({ documentVersion, epoch, primaryTerm }))
    this.#documentVersion = documentVersion
    this.#epoch = epoch
    this.#primaryTerm = primaryTerm
    return this.#lineage
  }
}

function partsOf(model: RowsModel, generation: number, { schema, outputs }: StoredRows): ModelParts {
  return {
    generation: bytesOf(shortNumber(generation)),
    label: bytesOf(` ${modelLabel(model)} `),
    outputs: model.outputs.map((name, i) => ({
      before: bytesOf(`${i === 0 ? '{' : ','}${JSON.stringify(name)}:`),
      values: outputs[schema.outputs.indexOf(name)]!,
    })),
  }
}

function maxBytesOf({ label, outputs }: ModelParts): number {
  const scores = outputs.reduce((sum, { before }) => sum + before.length + MAX_NUMBER_BYTES, 2)
  const rank = 1 + 5 * MAX_SHORT_NUMBER_BYTES
  const times = 2 * (1 + MAX_NUMBER_BYTES)
  return rank + times + label.length + Math.max(scores, MAX_STATE_BYTES)
}

/** Not a Buffer: V8 reads what is always of one type faster. */
function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text))
}

/** By hand: most are short, and a call costs as much as a loop over thirty bytes. */
function put(bytes: Uint8Array, into: Uint8Array, start: number): number {
  const { length } = bytes
  for (let i = 0; i < length; i++) into[start + i] = bytes[i]!
  return start + length
}

/** @param text ASCII */
function writeText(text: string, into: Uint8Array, start: number): number {
  const { length } = text
  for (let i = 0; i < length; i++) into[start + i] = text.charCodeAt(i)
  return start + length
}

/** As JavaScript writes it, and without a text where it is a whole number, as milliseconds are. */
function writeWhole(value: number, into: Uint8Array, start: number): number {
  if (!Number.isSafeInteger(value) || value === 0) return writeText(`${value}`, into, start)
  let at = start
  if (value < 0) into[at++] = MINUS
  const all = Math.abs(value)
  const high = Math.floor(all / LOW)
  const low = all - high * LOW
  const end = at + digitsOf(high) + (high === 0 ? digitsOf(low) : LOW_DIGITS)
  let to = end
  for (let left = low, digits = high === 0 ? digitsOf(low) : LOW_DIGITS; digits > 0; digits--) {
    const rest = (left / 10) | 0
    into[--to] = ZERO + left - rest * 10
    left = rest
  }
  for (let left = high; left > 0; ) {
    const rest = (left / 10) | 0
    into[--to] = ZERO + left - rest * 10
    left = rest
  }
  return end
}

/** Of a whole number below 2^31; 0 has none. */
function digitsOf(value: number): number {
  let digits = 0
  for (let left = value; left > 0; left = (left / 10) | 0) digits++
  return digits
}

/** A safe integer is two numbers of less than 31 bits: with divisions of those V8 needs no floating point. */
const LOW_DIGITS = 7
const LOW = 10 ** LOW_DIGITS
/** `-1.2345678901234567e-308` has 24. */
const MAX_NUMBER_BYTES = 25
const MAX_STATE_BYTES = 16
const [SPACE, PLUS, MINUS, ZERO, OPEN, CLOSE] = [0x20, 0x2b, 0x2d, 0x30, 0x7b, 0x7d]
