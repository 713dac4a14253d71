import { FreshetError } from '@freshet/errors/errors.ts'

/**
 * Refuses a model whose tensors live in files beside it: the hash would not cover them, and they would be read from
 * whatever directory the process happens to run in.
 * Walks the protobuf messages of onnx.proto just far enough to meet every TensorProto.
 * @throws MODEL_INVALID, also when the bytes are no protobuf
 */
export function refuseExternalData(onnx: Uint8Array): void {
  const stack: Part[] = [{ message: 'model', bytes: onnx }]
  for (let part = stack.pop(); part !== undefined; part = stack.pop()) {
    const inside = MESSAGES[part.message]
    for (const { field, value } of readFields(part.bytes)) {
      if (part.message === 'tensor' && isExternal(field, value))
        throw new FreshetError('MODEL_INVALID', 'model.onnx keeps tensors in other files (external data)')
      const message = inside[field]
      if (message !== undefined && typeof value !== 'number') stack.push({ message, bytes: value })
    }
  }
}

type MessageName = 'model' | 'graph' | 'node' | 'attribute' | 'tensor' | 'sparse' | 'function' | 'training'

interface Part {
  readonly message: MessageName
  readonly bytes: Uint8Array
}

/** Of each message, the fields by number that can hold a tensor further down. */
const MESSAGES: Readonly<Record<MessageName, Readonly<Record<number, MessageName>>>> = {
  model: { 7: 'graph', 20: 'training', 25: 'function' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  function: { 7: 'node', 11: 'attribute' },
  training: { 1: 'graph', 2: 'graph' },
  tensor: {},
}

const EXTERNAL_DATA = 13
const DATA_LOCATION = 14

function isExternal(field: number, value: number | Uint8Array): boolean {
  return field === EXTERNAL_DATA || (field === DATA_LOCATION && value !== 0)
}

interface Field {
  readonly field: number
  /** A varint, or the bytes of anything with a length; fixed-width numbers are passed over as 0. */
  readonly value: number | Uint8Array
}

function* readFields(bytes: Uint8Array): Generator<Field> {
  let at = 0
  const readVarint = () => {
    let value = 0
    for (let scale = 1; at < bytes.length; scale *= 128) {
      const byte = bytes[at++]!
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
    throw notOnnx()
  }
  while (at < bytes.length) {
    const tag = readVarint()
    const field = Math.floor(tag / 8)
    let value: number | Uint8Array = 0
    if (tag % 8 === 0) value = readVarint()
    else if (tag % 8 === 1) at += 8
    else if (tag % 8 === 2) {
      const length = readVarint()
      value = bytes.subarray(at, (at += length))
    } else if (tag % 8 === 5) at += 4
    else throw notOnnx()
    if (at > bytes.length) throw notOnnx()
    yield { field, value }
  }
}

function notOnnx(): FreshetError {
  return new FreshetError('MODEL_INVALID', 'model.onnx is not an ONNX model')
}
