import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { refuseExternalData } from './external-data.ts'
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

test('bytes that were damaged, cut off or made up are read or refused, in bounded time', async () => {
  const whole = await Promise.all(['zipmap-ints.onnx', 'named-tensors.onnx', 'two-outputs.onnx'].map(fixture))
  const edits = fc.array(fc.record({ at: fc.nat({ max: 700 }), byte: fc.nat({ max: 255 }) }), {
    maxLength: 5,
  })
  const damaged = fc
    .record({ bytes: fc.constantFrom(...whole), edits, length: fc.nat({ max: 700 }) })
    .map(({ bytes, edits, length }) => {
      const copy = new Uint8Array(bytes).subarray(0, Math.max(1, length))
      for (const { at, byte } of edits) copy[at % copy.length] = byte
      return copy
    })
  fc.assert(
    fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 100 })), (bytes) => {
      try {
        const graph = readGraph(bytes)
        withoutMaps(bytes, graph)
        refuseExternalData(bytes)
      } catch (error) {
        expect(error).toMatchObject({ code: 'MODEL_INVALID' })
      }
    }),
    { numRuns: 2_000 },
  )
})

test('a length below zero is no length', () => {
  const minusOne = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]
  expect(() => [...readFields(Uint8Array.from([0x0a, ...minusOne]))]).toThrow('is not an ONNX model')
})
