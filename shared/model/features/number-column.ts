import type { Column } from '../bundle/spec.ts'
import type { ElementType } from '../onnx/graph.ts'

/** The numbers that a tensor can hold. */
export interface Fits {
  /** For messages. */
  readonly wanted: string
  readonly includes: (value: number) => boolean
}

const WHOLE_32 = 2 ** 31

/** By the element type of the tensor; those that are not here cannot be fed. */
export const NUMBERS: Readonly<Partial<Record<ElementType, Fits>>> = {
  float32: { wanted: 'a number within float32', includes: (value) => Number.isFinite(Math.fround(value)) },
  float64: { wanted: 'a number', includes: Number.isFinite },
  int32: {
    wanted: 'a whole number within int32',
    includes: (value) => Number.isInteger(value) && value >= -WHOLE_32 && value < WHOLE_32,
  },
  int64: { wanted: 'a whole number within ±2^53', includes: Number.isSafeInteger },
  bool: { wanted: '0 or 1', includes: (value) => value === 0 || value === 1 },
  string: { wanted: 'a string', includes: () => false },
}

type NumberColumn = Extract<Column, { type: 'number' }>

/**
 * A reader for numbers; NaN when the value is no number, or nothing that the tensor can hold. Where the model is given
 * something else than what the document says, only the former must fit.
 */
export function compileNumber(column: NumberColumn, { includes }: Fits): (value: unknown) => number {
  const { steps, apply } = compileTransform(column)
  if (steps.length === 0)
    return (value) => (typeof value === 'number' && includes(value) ? value : Number.NaN)
  return (value) => {
    if (typeof value !== 'number') return Number.NaN
    const result = apply(value)
    return includes(result) ? result : Number.NaN
  }
}

interface Transform {
  /** For messages, in their order. */
  readonly steps: readonly string[]
  readonly apply: (value: number) => number
}

/** Bounds, then the logarithm, then the scale. */
export function compileTransform({ clip, log, scale }: NumberColumn): Transform {
  const steps: string[] = []
  const parts: ((value: number) => number)[] = []
  if (clip) {
    const [low, high] = clip
    steps.push('clip')
    parts.push((value) => Math.min(Math.max(value, low), high))
  }
  if (log) {
    steps.push(log)
    parts.push(log === 'ln' ? Math.log : Math.log1p)
  }
  if (scale) {
    const { mean, deviation } = scale
    steps.push('scale')
    parts.push((value) => (value - mean) / deviation)
  }
  return { steps, apply: (value) => parts.reduce((result, part) => part(result), value) }
}
