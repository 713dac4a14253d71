import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { fixtureBundle, twoOutputs } from '../bundle/bundles.kit.ts'
import type { Column, Output } from '../bundle/spec.ts'
import { rowWriterOf } from '../features/row-writer-of.ts'
import { goldenFeatures } from './golden-features.ts'
import type { RunnableModel } from './model-session.ts'
import { openSession } from './onnx-session.ts'

/** The scores of these documents, output by output. */
async function score(model: RunnableModel, documents: readonly object[], runRows = 2) {
  await using session = await openSession(model)
  const writer = rowWriterOf(model as Parameters<typeof rowWriterOf>[0])
  const features = writer.allocate(documents.length)
  for (const [row, document] of documents.entries()) expect(writer.write(document, features, row)).toBeNull()
  return await session.score(features, runRows)
}

async function named(columns: readonly Column[]): Promise<RunnableModel> {
  return {
    onnx: await readFile(new URL('../fixtures/named-tensors.onnx', import.meta.url)),
    spec: {
      inputs: { columns: [...columns] },
      outputs: [
        { name: 'sum', tensor: 'sum' },
        { name: 'id', tensor: 'id' },
      ],
    },
  }
}

const columns: Column[] = [
  { name: 'f', path: '/word', type: 'text', default: 'x' },
  { name: 'd', path: '/id', type: 'number', required: true },
  { name: 'a', path: '/a', type: 'number', default: 0.5 },
  { name: 'b', path: '/b', type: 'number', default: 0 },
  { name: 'c', path: '/kind', type: 'category', categories: ['one', 'two'], unknown: -1, default: 0 },
  { name: 'e', path: '/open', type: 'boolean', default: 0 },
]

describe('a tensor for each column', () => {
  test('of every element type, in any order, is what the model is given', async () => {
    const documents = [
      { word: 'y', id: 7, a: 0.25, b: 1e-9, kind: 'two', open: true },
      { id: 1, b: 2 ** 40 },
      { word: 'never seen', id: -3, kind: 'three' },
    ]
    const { columns: scores } = await score(await named(columns), documents)
    expect(scores.map((column) => [...column])).toEqual([
      [2 + 7 + 0.25 + 1e-9 + 1 + 1_000, 1 + 1 + 0.5 + 2 ** 40, -1 - 3 + 0.5 - 1],
      [7, 1, -3],
    ])
  })

  test('keeps whole numbers up to 2^53', async () => {
    const ids = [Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER]
    const { columns: scores } = await score(
      await named(columns),
      ids.map((id) => ({ id })),
    )
    expect([...scores[1]!]).toEqual(ids)
  })

  test.each<[string, readonly Column[], string]>([
    ['an input that no column feeds', columns.slice(1), "model.json has no column for the model's input f"],
    [
      'a column that no input takes',
      [...columns, { name: 'g', path: '/g', type: 'number', default: 0 }],
      'the model has no input g',
    ],
  ])('is refused with %s', async (_, wrong, message) => {
    const opening = openSession(await named(wrong))
    await expect(opening).rejects.toMatchObject({ code: 'MODEL_INVALID' })
    await expect(opening).rejects.toThrow(message)
  })

  test('is refused where the model wants a matrix', async () => {
    const { onnx, spec } = await fixtureBundle('two-outputs.onnx', [{ name: 'ten', tensor: 'scores' }])
    const inputs = { columns: [{ name: 'x', path: '/x', type: 'number' as const, default: 0 }] }
    await expect(openSession({ onnx, spec: { ...spec, inputs } })).rejects.toThrow(
      "the model's input is x: float32 [any, 2], not one value a row: [any] or [any, 1]",
    )
  })
})

describe('the probability of a class', () => {
  const late = 1 / (1 + Math.exp(-3))

  test.each<[string, string, string | number, string | number]>([
    ['zipmap-strings.onnx', 'output_probability', 'late', 'early'],
    ['zipmap-ints.onnx', 'output_probability', 7, -1],
    ['classes.onnx', 'probabilities', 'late', 'early'],
  ])('is found by its label: %s', async (file, tensor, second, first) => {
    const outputs: Output[] = [
      { name: 'second', tensor, class: second },
      { name: 'first', tensor, class: first },
    ]
    const bundle = await fixtureBundle(file, outputs)
    const { columns: scores } = await score(bundle, [
      { a: 1, b: 2 },
      { a: 1, b: -1 },
      { a: -1, b: -2 },
    ])
    const expected = [late, 0.5, 1 - late]
    for (const [row, probability] of expected.entries()) {
      expect(scores[0]![row]).toBeCloseTo(probability, 6)
      expect(scores[1]![row]).toBeCloseTo(1 - probability, 6)
    }
  })

  test('of a ZipMap is found by its column, too', async () => {
    const outputs = [{ name: 'late', tensor: 'output_probability', column: 1 }]
    const { columns: scores } = await score(await fixtureBundle('zipmap-strings.onnx', outputs), [
      { a: 1, b: 2 },
    ])
    expect(scores[0]![0]).toBeCloseTo(late, 6)
  })

  test.each<[string, Output, string]>([
    [
      'zipmap-ints.onnx',
      { name: 's', tensor: 'output_probability', class: '7' },
      'output_probability has the classes -1, 7, not "7"',
    ],
    [
      'two-outputs.onnx',
      { name: 's', tensor: 'scores', class: 'late' },
      'the model does not say which class each column of scores is: name the column instead',
    ],
    ['zipmap-ints.onnx', { name: 's', tensor: 'output_probability', column: 2 }, 'has no score in column 2'],
    ['zipmap-ints.onnx', { name: 's', tensor: 'probability' }, 'the model has no output probability'],
  ])('is refused where there is none: %s, %j', async (file, output, message) => {
    const bundle = await fixtureBundle(file, [output])
    const scoring = score(bundle, [{ a: 1, b: 2 }])
    await expect(scoring).rejects.toThrow(message)
  })
})

describe('an answer that is no finite number', () => {
  const documents = [
    { a: 1, b: 1 },
    { a: -1, b: 1 },
    { a: 0, b: 0 },
  ]

  test('stays, so that the document becomes a dead letter', async () => {
    const bundle = await fixtureBundle('logarithm.onnx', [{ name: 'ln', tensor: 'scores' }])
    const { columns: scores, replaced } = await score(bundle, documents)
    expect([...scores[0]!]).toEqual([0, Number.NaN, Number.NEGATIVE_INFINITY])
    expect(replaced).toBe(0)
  })

  test('becomes the score that the spec names, and is counted', async () => {
    const outputs: Output[] = [
      { name: 'a', tensor: 'scores', whenNotFinite: -9 },
      { name: 'b', tensor: 'scores', column: 1, whenNotFinite: 'dead-letter' },
    ]
    const { columns: scores, replaced } = await score(
      await fixtureBundle('logarithm.onnx', outputs),
      documents,
    )
    expect(scores.map((column) => [...column])).toEqual([
      [0, -9, -9],
      [0, 0, Number.NEGATIVE_INFINITY],
    ])
    expect(replaced).toBe(2)
  })
})

test('an operator that ONNX Runtime does not know is named', async () => {
  const opening = openSession(await fixtureBundle('unknown-operator.onnx', [{ name: 's', tensor: 'scores' }]))
  await expect(opening).rejects.toMatchObject({ code: 'MODEL_INVALID' })
  await expect(opening).rejects.toThrow(/does not load the model: .*Frobnicate/)
})

test('a session that is disposed of is released at once, not when its thread ends', async () => {
  const bundle = await fixtureBundle('two-outputs.onnx', twoOutputs)
  const session = await openSession(bundle)
  const features = goldenFeatures(bundle, 2)
  await session.score(features, 2)
  await session[Symbol.asyncDispose]()
  await expect(session.score(features, 2)).rejects.toMatchObject({ code: 'MODEL_RUN_FAILED' })
})
