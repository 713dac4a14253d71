import { intsOf, messageAt, readFields, textOf } from './protobuf.ts'

/** What an attribute of a node holds: one text, or numbers or texts in their order. Anything else is `other`. */
export type Attribute =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'ints'; readonly ints: readonly number[] }
  | { readonly kind: 'floats'; readonly floats: readonly number[] }
  | { readonly kind: 'texts'; readonly texts: readonly string[] }
  | { readonly kind: 'other' }

const NODE_ATTRIBUTE = 5
const ATTRIBUTE = { name: 1, int: 3, text: 4, floats: 7, ints: 8, texts: 9, type: 20 } as const
/** `AttributeType` of onnx.proto. */
const TYPES = { int: 2, text: 3, floats: 6, ints: 7, texts: 8 } as const

/** The attributes of one NodeProto by name. @throws MODEL_INVALID when the bytes are no protobuf */
export function readAttributes(node: Uint8Array): Map<string, Attribute> {
  const attributes = new Map<string, Attribute>()
  for (const { field, value } of readFields(node)) {
    if (field !== NODE_ATTRIBUTE || typeof value === 'number') continue
    const name = messageAt(value, ATTRIBUTE.name)
    if (name !== undefined) attributes.set(textOf(name), readAttribute(value))
  }
  return attributes
}

function readAttribute(bytes: Uint8Array): Attribute {
  let type: number | undefined
  for (const { field, value } of readFields(bytes))
    if (field === ATTRIBUTE.type && typeof value === 'number') type = value
  if (type === TYPES.text)
    return { kind: 'text', text: textOf(messageAt(bytes, ATTRIBUTE.text) ?? new Uint8Array()) }
  if (type === TYPES.int) return { kind: 'ints', ints: readInts(bytes, ATTRIBUTE.int) }
  if (type === TYPES.ints) return { kind: 'ints', ints: readInts(bytes, ATTRIBUTE.ints) }
  if (type === TYPES.floats) return { kind: 'floats', floats: readFloats(bytes) }
  if (type === TYPES.texts) return { kind: 'texts', texts: readTexts(bytes) }
  return { kind: 'other' }
}

function readInts(bytes: Uint8Array, wanted: number): number[] {
  const ints: number[] = []
  for (const { field, value } of readFields(bytes))
    if (field === wanted) for (const int of intsOf(value)) ints.push(int)
  return ints
}

/** One number a field, or all of them packed into one. */
function readFloats(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const floats: number[] = []
  for (const { field, value, to } of readFields(bytes)) {
    if (field !== ATTRIBUTE.floats) continue
    const length = typeof value === 'number' ? 4 : value.length - (value.length % 4)
    const from = typeof value === 'number' ? to - 4 : to - value.length
    for (let at = from; at < from + length; at += 4) floats.push(view.getFloat32(at, true))
  }
  return floats
}

function readTexts(bytes: Uint8Array): string[] {
  const texts: string[] = []
  for (const { field, value } of readFields(bytes))
    if (field === ATTRIBUTE.texts && typeof value !== 'number') texts.push(textOf(value))
  return texts
}
