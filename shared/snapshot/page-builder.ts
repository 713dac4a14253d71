import type { RowsSchema, StoredRows } from '@freshet/records/stored-rows.ts'

/** Collects runs of rows from several sources into pages of one schema. */
export class PageBuilder {
  readonly #schema: RowsSchema
  readonly #capacity: number
  readonly #keyBytes: number
  /** undefined until a row comes. */
  #page: Page | undefined

  /** @param keyBytes of all keys together, where that is known; else there is room to begin with, and more when needed */
  constructor(schema: RowsSchema, capacity: number, keyBytes = 32 * capacity) {
    this.#schema = schema
    this.#capacity = capacity
    this.#keyBytes = keyBytes
  }

  get count(): number {
    return this.#page?.count ?? 0
  }

  /** Rows that still fit. */
  get room(): number {
    return this.#capacity - this.count
  }

  /**
   * Copies rows `from` to before `to`, at most `room` of them.
   * @param outputs for each output of our schema its place in theirs, or -1
   */
  append(rows: StoredRows, { from, to }: { from: number; to: number }, outputs: readonly number[]): void {
    this.#page ??= emptyPage(this.#schema, this.#capacity, this.#keyBytes)
    const page = this.#page
    appendKeys(page, rows, from, to)
    for (let row = from, at = page.count; row < to; row++, at++) {
      page.documentVersions[at] = rows.documentVersions[row]!
      page.epochs[at] = rows.epochs[row]!
      page.primaryTerms[at] = rows.primaryTerms[row]!
      page.seqNos[at] = rows.seqNos[row]!
      page.modelGenerations[at] = rows.modelGenerations[row]!
      page.asOfMs[at] = rows.asOfMs[row]!
      page.scoredAtMs[at] = rows.scoredAtMs[row]!
      page.states[at] = rows.states[row]!
    }
    for (let i = 0; i < outputs.length; i++) {
      const theirs = rows.outputs[outputs[i]!]
      if (theirs === undefined) continue // -1: their model has no such output, so it stays NaN
      const ours = page.outputs[i]!
      for (let row = from, at = page.count; row < to; row++, at++) ours[at] = theirs[row]!
    }
    page.count += to - from
  }

  /** What was collected; the builder begins anew. */
  take(): StoredRows {
    const page = this.#page ?? emptyPage(this.#schema, 0, 0)
    this.#page = undefined
    return page
  }
}

function appendKeys(page: Page, { keys, keyOffsets }: StoredRows, from: number, to: number): void {
  const start = page.keyOffsets[page.count]!
  const shift = start - keyOffsets[from]!
  const end = keyOffsets[to]! + shift
  if (end > page.keys.length) {
    const wider = new Uint8Array(Math.max(end, page.keys.length * 2))
    wider.set(page.keys.subarray(0, start))
    page.keys = wider
  }
  for (let i = keyOffsets[from]!; i < keyOffsets[to]!; i++) page.keys[i + shift] = keys[i]!
  for (let row = from; row < to; row++)
    page.keyOffsets[page.count + row - from + 1] = keyOffsets[row + 1]! + shift
}

type Page = { -readonly [Field in keyof StoredRows]: StoredRows[Field] }

function emptyPage(schema: RowsSchema, capacity: number, keyBytes: number): Page {
  return {
    count: 0,
    schema,
    keys: new Uint8Array(keyBytes),
    keyOffsets: new Uint32Array(capacity + 1),
    documentVersions: new Float64Array(capacity),
    epochs: new Float64Array(capacity),
    primaryTerms: new Uint32Array(capacity),
    seqNos: new Float64Array(capacity),
    modelGenerations: new Uint32Array(capacity),
    asOfMs: new Float64Array(capacity),
    scoredAtMs: new Float64Array(capacity),
    states: new Uint8Array(capacity),
    outputs: schema.outputs.map(() => new Float64Array(capacity).fill(Number.NaN)),
  }
}
