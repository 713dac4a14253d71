import { Buffer } from 'node:buffer'
import { randomInt } from 'node:crypto'
import { FreshetError } from '@freshet/errors/errors.ts'
import { modelLabel, ROW_STATES, STATE } from '@freshet/records/score-batch.ts'
import type { RowsModel, RowsSchema, StoredRows } from '@freshet/records/stored-rows.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'
import { murmur3 } from '../murmur3.ts'
import { doubleOf, Entries, type MemoryKind, type Segment, wordOf } from './entries.ts'
import { Lineages } from './lineages.ts'
import { rowBytes } from './row-bytes.ts'
import { Slots } from './slots.ts'

/**
 * A snapshot in memory, off the JS heap: the row of highest rank of every key, tombstones too. With one output at most 54
 * bytes a key, whatever its size and also while it grows: 44 of an entry, and up to 10 to find it (below 100,000 keys the
 * shards themselves count). Reading is synchronous and takes one to three microseconds.
 *
 * An entry's own words are [state, times, lineage] [asOf] [scoredAt] [asOf, scoredAt]: both times whole up to 2^53 ms. Its
 * doubles are [seqNo] [values…]: a value slot is given to every output name when it is first met, and one to the document
 * version once one is not 0.
 */
export class SnapshotTable {
  readonly #entries: Entries
  readonly #shards: readonly Slots[]
  readonly #shardShift: number
  readonly #lineages = new Lineages()
  readonly #models = new Map<number, TableModel>()
  readonly #outputSlots = new Map<string, number>()
  #versionSlot: number | undefined
  #width = FIRST_VALUE
  #deleted = 0
  readonly #hash = new Uint32Array(4)
  /** One for all keys: an object, and a seed above 2^31, for each would be most of the garbage of a load. */
  readonly #hashing: { readonly seed: number; readonly into: Uint32Array }

  /**
   * @param options `rows`: how many it is made for; it takes any number, but a small one spares what 1,024 shards cost.
   *   `memory`: where its entries lie.
   */
  constructor({
    seed = randomInt(2 ** 32),
    rows = Number.POSITIVE_INFINITY,
    memory = 'dropped',
  }: TableOptions = {}) {
    this.#entries = new Entries(memory)
    const bits = Math.min(MAX_SHARD_BITS, Math.max(1, Math.ceil(Math.log2(rows / SHARD_ROWS))))
    this.#shards = Array.from({ length: 1 << bits }, () => new Slots(memory))
    this.#shardShift = 32 - bits
    this.#hashing = { seed: seed | 0, into: this.#hash }
  }

  /** Keys, tombstones among them. */
  get size(): number {
    return this.#entries.count
  }

  /** Of the keys, those that are deleted. */
  get deleted(): number {
    return this.#deleted
  }

  get bytes(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.bytes, this.#entries.bytes)
  }

  /** What one more row takes, at most. */
  get rowBytes(): number {
    return rowBytes(this.#outputSlots.size, this.#versionSlot !== undefined)
  }

  get(key: string): StoredScore | undefined {
    const length = plainBytes(key)
    const entry = length === -1 ? this.#findText(key) : this.#find(PLAIN, 0, length)
    return entry === -1 ? undefined : this.#read(key, entry)
  }

  /**
   * Keeps each row that outranks what is there; about a microsecond a row. Nothing in it takes longer than a fraction of a
   * millisecond, however large the table is: a shard that grows has some thousand keys. @throws SNAPSHOT_CORRUPT
   */
  apply(rows: StoredRows, from = 0, to = rows.count): void {
    const slots = this.#learn(rows.schema)
    for (let row = from; row < to; row++) {
      checkTimes(rows.asOfMs[row]!, rows.scoredAtMs[row]!)
      if (rows.documentVersions[row] !== 0) this.#versionSlot ??= this.#width++
      const lineage = this.#lineageOf(rows, row)
      const there = this.#find(rows.keys, rows.keyOffsets[row]!, rows.keyOffsets[row + 1]!)
      if (there !== -1 && !this.#outranks(rows, row, lineage, there)) continue
      this.#write(there === -1 ? this.#make() : there, rows, row, lineage, slots)
    }
  }

  /**
   * Lets go of deletes that were scored before a time, among the entries `from` to `from + count`.
   * @returns where to go on; 0 after the last entry
   */
  forgetDeleted(scoredBeforeMs: number, from: number, count: number): number {
    const to = Math.min(from + count, this.#entries.made)
    for (let entry = from; entry < to; entry++) {
      const { words } = this.#entries.at(entry)
      const at = wordOf(entry)
      if (words[at]! >>> 30 !== STATE.deleted || scoredAtIn(words, at) >= scoredBeforeMs) continue
      this.#shards[words[at + 1]! >>> this.#shardShift]!.remove(words[at + 2]! >>> 16, entry)
      words[at] = FREED
      this.#deleted--
      this.#entries.free(entry)
    }
    return to === this.#entries.made ? 0 : to
  }

  #findText(key: string): number {
    const bytes = Buffer.from(key)
    return this.#find(bytes, 0, bytes.length)
  }

  /** Leaves the hash in `#hash`. */
  #find(bytes: Uint8Array, from: number, to: number): number {
    const hash = this.#hash
    murmur3(bytes, from, to, this.#hashing)
    return this.#shards[hash[0]! >>> this.#shardShift]!.find(hash[1]! >>> 16, hash, this.#entries)
  }

  /** A new entry for `#hash`. */
  #make(): number {
    const hash = this.#hash
    const entry = this.#entries.make(hash, this.#width)
    this.#entries.at(entry).words[wordOf(entry)] = FREED // until it is written
    this.#shards[hash[0]! >>> this.#shardShift]!.add(hash[1]! >>> 16, entry)
    return entry
  }

  /** Takes in the models and outputs of a schema. @returns the value slot of each of its outputs */
  #learn({ outputs, models }: RowsSchema): Uint32Array {
    for (const name of outputs) if (!this.#outputSlots.has(name)) this.#outputSlots.set(name, this.#width++)
    for (const [generation, model] of models)
      if (!this.#models.has(generation)) this.#models.set(generation, this.#tableModel(model))
    return Uint32Array.from(outputs, (name) => this.#outputSlots.get(name)!)
  }

  #tableModel(model: RowsModel): TableModel {
    return {
      label: modelLabel(model),
      outputs: model.outputs.map((output) => ({ name: output, slot: this.#outputSlots.get(output)! })),
    }
  }

  #lineageOf(rows: StoredRows, row: number): number {
    const generation = rows.modelGenerations[row]!
    if (!this.#models.has(generation))
      throw new FreshetError('SNAPSHOT_CORRUPT', `rows of model generation ${generation}, which is not named`)
    const id = this.#lineages.idOf(rows.epochs[row]!, rows.primaryTerms[row]!, generation)
    if (id <= MAX_LINEAGE) return id
    throw new FreshetError('SNAPSHOT_CORRUPT', `more than ${MAX_LINEAGE} incarnations, terms and models`)
  }

  #outranks(rows: StoredRows, row: number, lineage: number, entry: number): boolean {
    const segment = this.#entries.at(entry)
    const thereId = segment.words[wordOf(entry)]! & MAX_LINEAGE
    const there = this.#lineages.at(thereId)
    const ours = thereId === lineage ? there : this.#lineages.at(lineage)
    const order =
      rows.documentVersions[row]! - this.#versionOf(segment, entry) ||
      ours.epoch - there.epoch ||
      ours.primaryTerm - there.primaryTerm ||
      rows.seqNos[row]! - segment.doubles[doubleOf(entry, segment.width)]! ||
      ours.modelGeneration - there.modelGeneration
    return order > 0
  }

  #write(entry: number, rows: StoredRows, row: number, lineage: number, slots: Uint32Array): void {
    const there = this.#entries.at(entry)
    const { words, doubles, width } =
      there.width < this.#width ? this.#entries.widen(entry, this.#width) : there
    const word = wordOf(entry)
    if (words[word]! >>> 30 === STATE.deleted) this.#deleted--
    if (rows.states[row] === STATE.deleted) this.#deleted++
    writeWords(words, word, rows, row, lineage)
    const at = doubleOf(entry, width)
    doubles[at] = rows.seqNos[row]!
    if (this.#versionSlot !== undefined) doubles[at + this.#versionSlot] = rows.documentVersions[row]!
    for (let output = 0; output < slots.length; output++)
      doubles[at + slots[output]!] = rows.outputs[output]![row]!
  }

  #read(key: string, entry: number): StoredScore {
    const segment = this.#entries.at(entry)
    const at = wordOf(entry)
    const values = doubleOf(entry, segment.width)
    const { epoch, primaryTerm, modelGeneration } = this.#lineages.at(segment.words[at]! & MAX_LINEAGE)
    const model = this.#models.get(modelGeneration)!
    const state = ROW_STATES[segment.words[at]! >>> 30]!
    const outputs: Record<string, number> = {}
    if (state === 'scored')
      for (const { name, slot } of model.outputs) outputs[name] = segment.doubles[values + slot]!
    return {
      key,
      rank: {
        revision: {
          documentVersion: this.#versionOf(segment, entry),
          epoch,
          primaryTerm,
          seqNo: segment.doubles[values]!,
        },
        modelGeneration,
      },
      state,
      outputs,
      asOfMs: asOfIn(segment.words, at),
      scoredAtMs: scoredAtIn(segment.words, at),
      model: model.label,
    }
  }

  #versionOf({ doubles, width }: Segment, entry: number): number {
    const slot = this.#versionSlot
    return slot === undefined || slot >= width ? 0 : doubles[doubleOf(entry, width) + slot]!
  }
}

/** Of the key that is looked for, if it is short and plain, as nearly all are: a Buffer for each would cost more than to find it. */
const PLAIN = new Uint8Array(128)

/** Writes the key's bytes. @returns how many; -1 when it is too long, or not ASCII */
function plainBytes(key: string): number {
  const { length } = key
  if (length > PLAIN.length) return -1
  for (let at = 0; at < length; at++) {
    const code = key.charCodeAt(at)
    if (code > 0x7f) return -1
    PLAIN[at] = code
  }
  return length
}

export interface TableOptions {
  readonly seed?: number
  readonly rows?: number
  readonly memory?: MemoryKind
}

interface TableModel {
  readonly label: string
  readonly outputs: readonly { readonly name: string; readonly slot: number }[]
}

/** Of ten million keys a shard has 10,000, and grows in 0.1 ms; more of them would be more for the garbage collector to go through. */
const MAX_SHARD_BITS = 10
const SHARD_ROWS = 2_048
const FIRST_VALUE = 1
/** In bits: two of state, five of asOf, five of scoredAt, twenty of lineage. */
const MAX_LINEAGE = 0xfffff
/** A state that no row has. */
const FREED = 0xc0000000

/** Before anything of the row is kept. */
function checkTimes(asOfMs: number, scoredAtMs: number): void {
  if (!Number.isSafeInteger(asOfMs) || asOfMs < 0 || !Number.isSafeInteger(scoredAtMs) || scoredAtMs < 0)
    throw new FreshetError('SNAPSHOT_CORRUPT', `a row from ${asOfMs} ms, scored at ${scoredAtMs} ms`)
}

function writeWords(words: Uint32Array, at: number, rows: StoredRows, row: number, lineage: number): void {
  const asOfMs = rows.asOfMs[row]!
  const scoredAtMs = rows.scoredAtMs[row]!
  const asOfHigh = Math.floor(asOfMs / 2 ** 32)
  const scoredHigh = Math.floor(scoredAtMs / 2 ** 32)
  words[at] = (rows.states[row]! << 30) | ((asOfHigh >>> 16) << 25) | ((scoredHigh >>> 16) << 20) | lineage
  words[at + 4] = asOfMs // modulo 2^32
  words[at + 5] = scoredAtMs
  words[at + 6] = (asOfHigh << 16) | (scoredHigh & 0xffff)
}

function asOfIn(words: Uint32Array, at: number): number {
  const high = ((words[at]! >>> 25) & 31) * 2 ** 16 + (words[at + 6]! >>> 16)
  return high * 2 ** 32 + words[at + 4]!
}

function scoredAtIn(words: Uint32Array, at: number): number {
  const high = ((words[at]! >>> 20) & 31) * 2 ** 16 + (words[at + 6]! & 0xffff)
  return high * 2 ** 32 + words[at + 5]!
}
