import type { Features } from '../features/features.ts'

const FIRST_BYTES = 64 * 1_024

/**
 * Memory in which rows go to a thread, again and again, at a copy of some nanoseconds a row. What is shared anew for each
 * batch lives until both sides have collected their garbage, and they have little reason to. why: decisions/0013
 */
export class RowMemory {
  #memory = new SharedArrayBuffer(FIRST_BYTES)

  /** @returns the same features in shared memory; they are good until the next call. */
  put({ rows, numbers, texts }: Features): Features {
    if (this.#memory.byteLength < numbers.byteLength)
      this.#memory = new SharedArrayBuffer(2 ** Math.ceil(Math.log2(numbers.byteLength)))
    const shared =
      numbers instanceof Float32Array
        ? new Float32Array(this.#memory, 0, numbers.length)
        : new Float64Array(this.#memory, 0, numbers.length)
    shared.set(numbers)
    return { rows, numbers: shared, texts }
  }
}
