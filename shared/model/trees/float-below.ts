const float = new Float32Array(1)
const bits = new Int32Array(float.buffer)

/** The next float32 below: for a float32 x, x < value says the same as x ≤ floatBelow(value). NaN below -∞ and of NaN. */
export function floatBelow(value: number): number {
  float[0] = value
  if (Number.isNaN(value) || float[0] === Number.NEGATIVE_INFINITY) return Number.NaN
  if (float[0] === 0)
    bits[0] = -0x7fffffff // 0 and -0 are one number; the first below both
  else bits[0]! += float[0]! > 0 ? -1 : 1
  return float[0]!
}
