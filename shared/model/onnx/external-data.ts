import { FreshetError } from '@freshet/errors/errors.ts'
import { readFields } from './protobuf.ts'

/**
 * Refuses a model whose tensors live in files beside it: the hash would not cover them, and they would be read from
 * whatever directory the process happens to run in.
 * @throws MODEL_INVALID, also when the bytes are no protobuf
 */
export function refuseExternalData(onnx: Uint8Array): void {
  if (hasExternalData(onnx))
    throw new FreshetError('MODEL_INVALID', 'model.onnx keeps tensors in other files (external data)')
}

/**
 * Walks the protobuf messages of onnx.proto just far enough to meet every TensorProto.
 * @throws MODEL_INVALID when the bytes are no protobuf
 */
export function hasExternalData(onnx: Uint8Array): boolean {
  const stack: Part[] = [{ message: 'model', bytes: onnx }]
  for (let part = stack.pop(); part !== undefined; part = stack.pop()) {
    const inside = MESSAGES[part.message]
    for (const { field, value } of readFields(part.bytes)) {
      if (part.message === 'tensor' && isExternal(field, value)) return true
      const message = inside[field]
      if (message !== undefined && typeof value !== 'number') stack.push({ message, bytes: value })
    }
  }
  return false
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
