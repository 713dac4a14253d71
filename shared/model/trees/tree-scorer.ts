import { readFileSync } from 'node:fs'
import type { LeafTables } from './leaf-tables.ts'

/** Rows in the scorer's memory at once. */
const BLOCK_ROWS = 256
const PAGE_BYTES = 65_536
/** Of a column in the plan that score-trees.wat goes by. */
const PLAN_BYTES = 16
const ALIGNED_TO = 16

const program = new WebAssembly.Module(readFileSync(new URL('./score-trees.wasm', import.meta.url)))

/** Looks scores up in leaf tables. */
export class TreeScorer {
  readonly #width: number
  readonly #features: Float32Array
  readonly #scores: Float32Array
  readonly #scoreBlock: (rows: number) => void

  /** @param width columns of a row; the tables look at none beyond. */
  constructor(tables: LeafTables, width: number) {
    const layout = new Layout()
    const maskBytes = 4 * tables.masks
    const columns = tables.columns.map(({ column, thresholds, rows }) => ({
      column,
      thresholds: layout.put(thresholds),
      count: thresholds.length,
      rows: layout.put(rows),
    }))
    if (columns.length % 2 === 1) columns.push(columns.at(-1)!) // they are taken by two, and twice is as good as once
    const plan = layout.put(
      Int32Array.from(
        columns.flatMap(({ column, thresholds, count, rows }) => [column, thresholds, count, rows]),
      ),
    )
    const leaves = layout.put(tables.leaves)
    const left = layout.put(new Uint32Array(tables.masks))
    const features = layout.put(new Float32Array(BLOCK_ROWS * width))
    const scores = layout.put(new Float32Array(BLOCK_ROWS))
    const memory = layout.fill()
    const { exports } = new WebAssembly.Instance(program, { trees: { memory } })
    const score = exports.score as (...args: number[]) => void
    this.#width = width
    this.#features = new Float32Array(memory.buffer, features, BLOCK_ROWS * width)
    this.#scores = new Float32Array(memory.buffer, scores, BLOCK_ROWS)
    this.#scoreBlock = (rows) =>
      score(
        rows,
        features,
        4 * width,
        plan,
        plan + columns.length * PLAN_BYTES,
        left,
        maskBytes,
        leaves,
        tables.base,
        scores,
      )
  }

  /** @param features rows of `width`. */
  score(features: Float32Array, into: Float64Array): void {
    for (let from = 0; from < into.length; from += BLOCK_ROWS) {
      const to = Math.min(into.length, from + BLOCK_ROWS)
      this.#features.set(features.subarray(from * this.#width, to * this.#width))
      this.#scoreBlock(to - from)
      into.set(this.#scores.subarray(0, to - from), from)
    }
  }
}

/** Arrays one behind the other in a memory that is made when all are known. */
class Layout {
  readonly #arrays: { readonly at: number; readonly values: Float32Array | Uint32Array | Int32Array }[] = []
  #bytes = 0

  /** @returns where it will be. */
  put(values: Float32Array | Uint32Array | Int32Array): number {
    const at = this.#bytes
    this.#arrays.push({ at, values })
    this.#bytes = Math.ceil((at + values.byteLength) / ALIGNED_TO) * ALIGNED_TO
    return at
  }

  fill(): WebAssembly.Memory {
    const memory = new WebAssembly.Memory({ initial: Math.ceil(this.#bytes / PAGE_BYTES) })
    const bytes = new Uint8Array(memory.buffer)
    for (const { at, values } of this.#arrays)
      bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at)
    return memory
  }
}
