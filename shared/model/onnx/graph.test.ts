import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { classLabelsOf, readGraph } from './graph.ts'
import { concat, lengthField, readFields, varintField } from './protobuf.ts'
import { withoutMaps } from './without-maps.ts'

function fixture(file: string): Promise<Uint8Array> {
  return readFile(new URL(`../fixtures/${file}`, import.meta.url))
}

describe('an ONNX file says', () => {
  test('which tensors it wants, with their types and sizes', async () => {
    const { inputs } = readGraph(await fixture('named-tensors.onnx'))
    const told = inputs.map(({ name, type }) => [
      name,
      ...(type.kind === 'tensor' ? [type.element, type.shape] : []),
    ])
    expect(told).toEqual([
      ['a', 'float32', ['']],
      ['b', 'float64', ['', 1]],
      ['c', 'int32', ['']],
      ['d', 'int64', ['']],
      ['e', 'bool', ['']],
      ['f', 'string', ['']],
    ])
  })

  test('which outputs are maps, and the labels of their classes', async () => {
    const graph = readGraph(await fixture('zipmap-ints.onnx'))
    expect(graph.outputs.map(({ name, type }) => [name, type.kind])).toEqual([
      ['label', 'tensor'],
      ['output_probability', 'maps'],
    ])
    expect(classLabelsOf(graph, 'output_probability')).toEqual([-1, 7])
    expect(classLabelsOf(graph, 'probabilities')).toEqual([-1, 7])
    expect(classLabelsOf(graph, 'x')).toBeNull()
  })

  test.each(['GIF89a', ''])('nothing when it is none: %j', (text) => {
    expect(() => readGraph(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'MODEL_INVALID' }))
  })
})

describe('a model without its maps', () => {
  test('has their tensors instead, and all else as it was', async () => {
    const onnx = await fixture('zipmap-strings.onnx')
    const before = readGraph(onnx)
    const { onnx: after, tensors } = withoutMaps(onnx, before)
    expect(tensors).toEqual(new Map([['output_probability', 'probabilities']]))
    const { inputs, outputs, nodes } = readGraph(after)
    expect(inputs).toEqual(before.inputs)
    expect(nodes).toEqual(before.nodes.filter(({ opType }) => opType !== 'ZipMap'))
    expect(outputs).toEqual([
      before.outputs[0],
      { name: 'probabilities', type: { kind: 'tensor', element: 'float32', shape: null } },
    ])
  })

  test('is the same bytes where it has none', async () => {
    const onnx = await fixture('two-outputs.onnx')
    expect(withoutMaps(onnx, readGraph(onnx)).onnx).toBe(onnx)
  })
})

test('fields are read as they were written', () => {
  const field = fc.integer({ min: 1, max: 2 ** 20 })
  const number = fc.record({ field, value: fc.maxSafeNat() })
  const bytes = fc.record({ field, value: fc.uint8Array({ maxLength: 300 }) })
  fc.assert(
    fc.property(fc.array(fc.oneof(number, bytes)), (fields) => {
      const parts = fields.map(({ field, value }) =>
        typeof value === 'number' ? varintField(field, value) : lengthField(field, value),
      )
      const read = [...readFields(concat(parts))]
      expect(read.map(({ field, value }) => ({ field, value }))).toEqual(fields)
      expect(read.map(({ from, to }) => to - from)).toEqual(parts.map(({ length }) => length))
    }),
  )
})
