import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ElementType, OnnxGraph, OnnxValue } from '../onnx/graph.ts'
import { draftInputs } from './draft-inputs.ts'
import { draftOutputs } from './draft-outputs.ts'
import { asDocument, exampleRows } from './examples.ts'
import { parseMlmodel } from './mlflow.ts'

function tensor(name: string, element: ElementType, shape: readonly (number | string)[]): OnnxValue {
  return { name, type: { kind: 'tensor', element, shape } }
}

function graph(parts: Partial<OnnxGraph>): OnnxGraph {
  return { inputs: [], outputs: [], nodes: [], ...parts }
}

describe('inputs', () => {
  test('a tensor a column, each of its own type; slashes of a name are escaped in its path', () => {
    const inputs = [
      tensor('a/b', 'float64', ['', 1]),
      tensor('ok', 'bool', ['']),
      tensor('t', 'string', ['', 1]),
    ]
    expect(draftInputs(graph({ inputs }), null).value).toEqual({
      columns: [
        { name: 'a/b', path: '/a~1b', type: 'number', required: true },
        { name: 'ok', path: '/ok', type: 'boolean', required: true },
        { name: 't', path: '/t', type: 'text', required: true },
      ],
    })
  })

  test('what a signature says of gaps and text is told', () => {
    const named = [
      { name: 'a', required: false },
      { name: 'b', type: 'string' },
    ]
    const { toFillIn } = draftInputs(graph({ inputs: [tensor('x', 'float32', ['', 2])] }), named)
    expect(toFillIn).toEqual([
      'how column b becomes a number, since it was trained as string: type category or time',
      'the default of column a, which training data did not always have: until then it is required',
    ])
  })

  test.each<[string, OnnxValue[], string]>([
    ['none', [], 'the model has no input'],
    [
      'a matrix of doubles',
      [tensor('x', 'float64', ['', 3])],
      'input x is float64 [, 3]: export the model with one',
    ],
    [
      'several matrices',
      [tensor('x', 'float32', ['', 3]), tensor('y', 'float32', ['', 3])],
      'input x is float32',
    ],
    ['half floats', [tensor('x', 'float16', ['', 1])], 'input x is float16'],
    ['a matrix of free width', [tensor('x', 'float32', ['', ''])], 'name them with --columns'],
  ])('%s are refused', (_, inputs, message) => {
    expect(() => draftInputs(graph({ inputs }), null)).toThrow(message)
  })
})

describe('outputs', () => {
  const outputsOf = (outputs: OnnxValue[], named: string[] | null = null) =>
    draftOutputs(graph({ outputs }), named).value.map(({ name }) => name)

  test('names that a store could not keep are changed, and none stands twice', () => {
    const outputs = ['7', 'Key', 'score_7'].map((name) => tensor(name, 'float32', ['', 1]))
    expect(outputsOf(outputs)).toEqual(['score_7', 'score_Key', 'score_7_2'])
  })

  test('a label is a score only where there is nothing else', () => {
    const label = tensor('label', 'int64', [''])
    expect(outputsOf([label])).toEqual(['label'])
    expect(outputsOf([label, tensor('margin', 'float32', ['', 1])])).toEqual(['margin'])
  })

  test('columns that nobody names are numbered', () => {
    expect(outputsOf([tensor('y', 'float32', ['', 3])], ['minutes'])).toEqual(['y_0', 'y_1', 'y_2'])
  })
})

describe('rows of an input example', () => {
  test.each<[string, unknown, unknown]>([
    ['split', { columns: ['a', 'b'], data: [[1, 'x']] }, [{ a: 1, b: 'x' }]],
    ['split, as served', { dataframe_split: { columns: ['a'], data: [[1], [2]] } }, [{ a: 1 }, { a: 2 }]],
    ['records', [{ a: 1 }, { a: 2 }], [{ a: 1 }, { a: 2 }]],
    [
      'an array',
      [
        [1, 2],
        [3, 4],
      ],
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['an array of one column', [1, 2], [[1], [2]]],
    [
      'arrays by name',
      { inputs: { a: [[1], [2]], b: ['x', 'y'] } },
      [
        { a: 1, b: 'x' },
        { a: 2, b: 'y' },
      ],
    ],
    ['one document', { a: 1, b: { c: 2 } }, [{ a: 1, b: { c: 2 } }]],
    ['no rows', 7, null],
  ])('%s', (_, example, rows) => {
    expect(exampleRows(example)).toEqual(rows)
  })
})

test('whatever JSON an input example is, it is rows or none', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (example) => {
      for (const row of exampleRows(example) ?? []) {
        expect(typeof row).toBe('object')
        expect(JSON.parse(JSON.stringify(asDocument(row, ['a', 'b'])))).toBeTypeOf('object')
      }
    }),
  )
})

describe('MLmodel', () => {
  test('a model without the onnx flavor says which it has', () => {
    expect(() => parseMlmodel('flavors: {sklearn: {}, python_function: {}}')).toThrow(
      'the flavors sklearn, python_function and not onnx',
    )
  })

  test('no signature, no example: nothing is known of the columns', () => {
    expect(parseMlmodel('flavors: {onnx: {data: model.onnx}}')).toEqual({
      onnxFile: 'model.onnx',
      exampleFile: null,
      columns: null,
      outputs: null,
    })
  })

  test.each(['{', 'flavors: {onnx: {}}', 'flavors: {onnx: {data: m}}\nsignature: {inputs: "{"}'])(
    'what is wrong is told: %s',
    (text) => {
      expect(() => parseMlmodel(text)).toThrow(expect.objectContaining({ code: 'MODEL_NOT_IMPORTABLE' }))
    },
  )
})
