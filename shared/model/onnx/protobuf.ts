import { FreshetError } from '@freshet/errors/errors.ts'

export interface Field {
  readonly field: number
  /** A whole number, or the bytes of anything with a length; numbers of fixed width are passed over as 0. */
  readonly value: number | Uint8Array
  /** Where the field stands, its tag included. */
  readonly from: number
  readonly to: number
}

/**
 * The fields of one protobuf message, in their order.
 * @throws MODEL_INVALID when the bytes are no protobuf
 */
export function* readFields(bytes: Uint8Array): Generator<Field> {
  for (let at = 0; at < bytes.length; ) {
    const from = at
    const tag = readVarint(bytes, at)
    at = tag.to
    let value: number | Uint8Array = 0
    const wireType = tag.value % 8
    if (wireType === 0) ({ value, to: at } = readVarint(bytes, at))
    else if (wireType === 1) at += 8
    else if (wireType === 2) {
      const length = readVarint(bytes, at)
      if (length.value < 0) throw notOnnx()
      at = length.to + length.value
      value = bytes.subarray(length.to, at)
    } else if (wireType === 5) at += 4
    else throw notOnnx()
    if (at > bytes.length) throw notOnnx()
    yield { field: Math.floor(tag.value / 8), value, from, to: at }
  }
}

/** Signed, as int64 is written. A number beyond 2^53 loses its last digits. */
function readVarint(bytes: Uint8Array, from: number): { value: number; to: number } {
  let value = 0
  let scale = 1
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at]!
    const isTenth = at - from === 9
    // The tenth byte of a negative number holds bit 63: all that is above it is the sign.
    if (isTenth) return { value: Number(readNegative(bytes, from)), to: at + 1 }
    value += (byte & 127) * scale
    if (byte < 128) return { value, to: at + 1 }
    scale *= 128
  }
  throw notOnnx()
}

function readNegative(bytes: Uint8Array, from: number): bigint {
  let value = 0n
  for (let i = 9; i >= 0; i--) value = (value << 7n) | BigInt(bytes[from + i]! & 127)
  return BigInt.asIntN(64, value)
}

/** One number, or many packed into a field. */
export function* intsOf(value: Field['value']): Generator<number> {
  if (typeof value === 'number') return yield value
  for (let at = 0; at < value.length; ) {
    const one = readVarint(value, at)
    yield one.value
    at = one.to
  }
}

/** The bytes of a field; of the last one when it stands there several times, as protobuf has it. */
export function messageAt(bytes: Uint8Array, wanted: number): Uint8Array | undefined {
  let found: Uint8Array | undefined
  for (const { field, value } of readFields(bytes))
    if (field === wanted && typeof value !== 'number') found = value
  return found
}

const decoder = new TextDecoder()

export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

/** One field with a length: its tag, its length, its bytes. */
export function lengthField(field: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  return concat([varint(field * 8 + 2), varint(length), ...parts])
}

export function varintField(field: number, value: number): Uint8Array {
  return concat([varint(field * 8), varint(value)])
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) | 128)
  return Uint8Array.from([...bytes, value])
}

export function notOnnx(): FreshetError {
  return new FreshetError('MODEL_INVALID', 'model.onnx is not an ONNX model')
}
