/** Documents as a model takes them: what a micro-batch gives it, and what it is tried on. */
export interface Features {
  readonly rows: number
  /**
   * Row-major. float32 as the model's one matrix has them; where each column feeds a tensor of its own, float64, which
   * holds every whole number up to 2^53.
   */
  readonly numbers: Float32Array | Float64Array
  /** Row-major, of the columns of type text. */
  readonly texts: readonly string[]
}

/** Rows `from` (inclusive) to `to` (exclusive); the numbers are the same memory. */
export function sliceFeatures({ rows, numbers, texts }: Features, from: number, to: number): Features {
  if (from === 0 && to === rows) return { rows, numbers, texts }
  const width = numbers.length / rows
  const textWidth = texts.length / rows
  return {
    rows: to - from,
    numbers: numbers.subarray(from * width, to * width),
    texts: texts.length === 0 ? texts : texts.slice(from * textWidth, to * textWidth),
  }
}
