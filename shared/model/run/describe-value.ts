import type { InferenceSession } from 'onnxruntime-node'

/** An input or output of a model, for people: `features: float32 [rows, 13]`. */
export function describeValue(value: InferenceSession.ValueMetadata): string {
  if (!value.isTensor) return `${value.name}: not a tensor`
  const sizes = value.shape.map((size) => (size === '' ? 'any' : size))
  return `${value.name}: ${value.type} [${sizes.join(', ')}]`
}
