import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { mkdtemp, mkdtempDisposable, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { encodeBundle, readBundle } from '../bundle/bundle.ts'
import { DEMO_FOLDER } from '../bundle/bundles.kit.ts'
import { scoreDocuments } from '../run/score-documents.ts'
import { type ImportedModel, importModel } from './import-model.ts'
import { type ExportHints, readExport } from './read-export.ts'

const FIXTURES = fileURLToPath(new URL('fixtures', import.meta.url))

async function imported(path: string, hints: ExportHints = {}): Promise<ImportedModel> {
  return await importModel(await readExport(join(FIXTURES, path), hints))
}

/** What the library that trained the model answers for some documents. */
function expected(name: string): { documents: object[]; scores: number[] } {
  return JSON.parse(readFileSync(join(FIXTURES, `${name}.expected.json`), 'utf8'))
}

async function firstScores({ bundle }: ImportedModel, documents: readonly object[]): Promise<number[]> {
  const scores = await scoreDocuments(
    bundle,
    documents.map((document) => Buffer.from(JSON.stringify(document))),
  )
  return scores.map((score) =>
    score.state === 'scored' ? score.outputs[bundle.spec.outputs[0]!.name]! : Number.NaN,
  )
}

describe('an imported model scores documents as the library that trained it', () => {
  const columns = ['dep_delay', 'distance']
  test.each<[string, ExportHints, string[]]>([
    ['sklearn-regression', { columns }, ['variable']],
    ['sklearn-classes', { columns }, ['probability_0', 'probability_1', 'probability_2']],
    ['sklearn-pipeline', {}, ['probability_on_time']],
    ['lightgbm-regression', { columns }, ['variable']],
    ['lightgbm-binary', { columns }, ['probability_1']],
    ['xgboost-regression', { columns }, ['variable']],
    ['xgboost-classes', { columns }, ['probability_0', 'probability_1', 'probability_2']],
  ])('%s', async (name, hints, outputs) => {
    const model = await imported(`${name}.onnx`, hints)
    expect(model.bundle.spec.outputs.map((output) => output.name)).toEqual(outputs)
    expect(model.toFillIn.join('\n')).toContain('golden.ndjson: documents')
    const { documents, scores } = expected(name)
    const found = await firstScores(model, documents)
    for (const [at, score] of scores.entries()) expect(found[at]).toBeCloseTo(score, 4)
  })

  test.each([
    ['mlflow-matrix', 'lightgbm-regression', 'minutes'],
    ['mlflow-columns', 'sklearn-pipeline', 'probability_on_time'],
  ])('%s, whose signature names columns, and the output of a regression', async (folder, name, output) => {
    const model = await imported(folder)
    expect(model.bundle.spec).toMatchObject({ name: folder, version: '1', outputs: [{ name: output }] })
    const { documents, scores } = expected(name)
    const found = await firstScores(model, documents)
    for (const [at, score] of scores.entries()) expect(found[at]).toBeCloseTo(score, 4)
  })
})

describe('an input example makes golden rows', () => {
  test('and then the draft is a bundle that can be read and proved', async () => {
    const { bundle, toFillIn } = await imported('mlflow-columns')
    expect(bundle.golden).toHaveLength(5)
    expect(bundle.golden[0]!.document).toEqual({ dep_delay: 10, distance: 787, carrier: 'B6' })
    expect(toFillIn.join('\n')).toContain('do not prove that it was exported right')
    const files = encodeBundle(bundle)
    expect(await readBundle(async (file) => Buffer.from(files[file]))).toEqual(bundle)
  })

  test('of arrays, which name no columns: they are numbered, and that is told', async () => {
    const { bundle, toFillIn } = await imported('mlflow-array')
    expect(bundle.golden[0]!.document).toEqual({ column_0: 10, column_1: 787 })
    expect(toFillIn[0]).toContain("the columns' names and paths")
  })

  test('of documents that are given beside the model; one that cannot be scored is told', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'freshet-import-'))
    try {
      const exampleFile = join(folder, 'documents.ndjson')
      await writeFile(exampleFile, '{"dep_delay":10,"distance":787}\n{"dep_delay":10}\n')
      const hints = { columns: ['dep_delay', 'distance'], exampleFile, name: 'delay', version: '7' }
      const { bundle, toFillIn } = await imported('lightgbm-regression.onnx', hints)
      expect(bundle.spec).toMatchObject({ name: 'delay', version: '7' })
      expect(bundle.golden).toHaveLength(1)
      expect(toFillIn.join('\n')).toContain('example 2 makes no golden row: /distance is missing')
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

test('documents of the training say what range each column had, and how often it was missing', async () => {
  const from = await readExport(join(FIXTURES, 'mlflow-columns'), {})
  const training = [
    { dep_delay: 2.5, distance: 100, carrier: 'UA' },
    { dep_delay: 7.5, distance: 'far' },
    { distance: 300, carrier: null },
  ]
  const { bundle } = await importModel({ ...from, training })
  expect(bundle.spec.inputs.columns.map((column) => column.training)).toEqual([
    { min: 2.5, max: 7.5, mean: 5, missing: 1 / 3 },
    { min: 100, max: 300, mean: 200, missing: 0 },
    { missing: 2 / 3 },
  ])
})

describe('what cannot be imported is refused, with what to do', () => {
  test.each<[string, string, ExportHints, string]>([
    ['a bundle', DEMO_FOLDER, {}, 'is a bundle already: `freshet model check'],
    [
      'names for other columns than there are',
      join(FIXTURES, 'sklearn-regression.onnx'),
      { columns: ['a'] },
      "the model's matrix has 2 columns, and 1 are named",
    ],
    ['a path where nothing is', join(FIXTURES, 'nowhere.onnx'), {}, 'nowhere.onnx cannot be read'],
    ['a folder without a model', join(FIXTURES, '..'), {}, 'has neither a file MLmodel nor one that ends'],
    ['a folder with several', FIXTURES, {}, 'has several models: name one of'],
    [
      'tensors in other files',
      join(FIXTURES, '../../fixtures/external-data.onnx'),
      {},
      'save it as one file, in MLflow with save_as_external_data=False',
    ],
    [
      'an answer of text',
      join(FIXTURES, '../../fixtures/text-output.onnx'),
      {},
      'no output that is a number for each row',
    ],
  ])('%s', async (_, path, hints, message) => {
    const importing = readExport(path, hints).then(importModel)
    await expect(importing).rejects.toMatchObject({ code: 'MODEL_NOT_IMPORTABLE' })
    await expect(importing).rejects.toThrow(message)
  })

  test.each<[string, string, string]>([
    [
      'LightGBM 4.7',
      'tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\n',
      'the text of LightGBM, not ONNX: export it with onnxmltools.convert_lightgbm',
    ],
    [
      'XGBoost 3.2, as JSON',
      '{"learner":{"attributes":{},"feature_names":[]}}',
      'the JSON of XGBoost, not ONNX: export it with onnxmltools.convert_xgboost',
    ],
    ['XGBoost 3.2, by default', '{L\0\0\0\0\0\0\0\x07learner{L\0\0', 'the JSON of XGBoost, not ONNX'],
    [
      'pickle, protocol 4',
      '\x80\x04\x95\xb8\x01\0\0\0\0\0\0\x8c\x1asklearn.linear_model._base',
      'skl2onnx.to_onnx',
    ],
    ['pickle, protocol 2', '\x80\x02csklearn.linear_model._base\nLinearRegression\n', 'skl2onnx.to_onnx'],
    [
      'joblib, compressed',
      'x\x5eURMk\x14A\x10',
      'is a pickle, not ONNX: export what is in it where it was trained',
    ],
    ['something else', 'PK\x03\x04', 'is not an ONNX model'],
  ])('what a library saves by itself: %s', async (_, head, message) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'freshet-import-'))
    const file = join(folder.path, 'model.bin')
    await writeFile(file, Buffer.from(head, 'latin1'))
    const importing = readExport(file, {}).then(importModel)
    await expect(importing).rejects.toMatchObject({ code: 'MODEL_NOT_IMPORTABLE' })
    await expect(importing).rejects.toThrow(message)
    await expect(importing).rejects.not.toThrow('save it as one file')
  })

  test('a model that ONNX Runtime cannot run on any number of rows', async () => {
    await expect(imported('../../fixtures/fixed-rows.onnx')).rejects.toMatchObject({ code: 'MODEL_INVALID' })
  })
})
