/** What a data scientist hands in: model.json, golden.ndjson, the ONNX file, MLflow's MLmodel; and documents as they are scored. */
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BundleFile, readBundle } from '@freshet/model/bundle/bundle.ts'
import { encodeModelSpec, parseModelSpec } from '@freshet/model/bundle/spec.ts'
import { compileColumns } from '@freshet/model/features/columns.ts'
import { asDocument, exampleRows } from '@freshet/model/import/examples.ts'
import { parseMlmodel } from '@freshet/model/import/mlflow.ts'
import { readExport } from '@freshet/model/import/read-export.ts'
import { refuseExternalData } from '@freshet/model/onnx/external-data.ts'
import { classLabelsOf, readGraph } from '@freshet/model/onnx/graph.ts'
import { MAX_TABLE_BYTES } from '@freshet/model/run/open-model.ts'
import { leafTablesOf } from '@freshet/model/trees/leaf-tables.ts'
import { readTreeEnsemble } from '@freshet/model/trees/read-ensemble.ts'
import { afterAll, expect, test } from 'vitest'
import { fuzz } from './fuzz.kit.ts'

const ROOT = join(import.meta.dirname, '../..')
const fixture = (name: string) => readFileSync(join(ROOT, 'shared/model/fixtures', name))
const demoSpec = readFileSync(join(ROOT, 'infra/demo/model/model.json'))

const ofEveryKind = {
  ...{ formatVersion: 1, name: 'm', version: '1', sha256: '0'.repeat(64), golden: { tolerance: 1e-6 } },
  inputs: {
    columns: [
      {
        name: 'n',
        path: '/n',
        type: 'number',
        default: 0,
        clip: [0, 9],
        log: 'log1p',
        scale: { mean: 1, deviation: 2 },
      },
      { name: 'b', path: '/b', type: 'boolean', required: true },
      {
        name: 'c',
        path: '/c/~0~1',
        type: 'category',
        default: 0,
        categories: ['x', '__proto__'],
        unknown: 9,
      },
      { name: 't', path: '/t', type: 'time', default: 0, part: 'hour', timeZone: 'America/New_York' },
      { name: 'x', path: '/x', type: 'text', default: '' },
    ],
  },
  outputs: [
    { name: 'delay', tensor: 'variable' },
    { name: 'risk', tensor: 'p', class: 'late', whenNotFinite: 0 },
  ],
  evaluation: { rows: [1, { deep: null }] },
}

fuzz({
  name: 'model-json',
  format: 'json',
  codes: ['MODEL_INVALID'],
  valid: [demoSpec, Buffer.from(JSON.stringify(ofEveryKind))],
  share: 0.5,
  read(bytes) {
    const spec = parseModelSpec(bytes.toString())
    expect(encodeModelSpec(parseModelSpec(encodeModelSpec(spec)))).toBe(encodeModelSpec(spec))
    for (const { name } of [...spec.inputs.columns, ...spec.outputs]) expect(name).toBeTypeOf('string')
  },
})

const onnx = fixture('one-answer.onnx')
const sha256 = createHash('sha256').update(onnx).digest('hex')
const named = { ...ofEveryKind, sha256, outputs: [{ name: 'constructor', tensor: 'y' }] }
const files = (golden: Buffer): Readonly<Record<BundleFile, Buffer>> => ({
  'model.onnx': onnx,
  'model.json': Buffer.from(JSON.stringify(named)),
  'golden.ndjson': golden,
})

fuzz({
  name: 'golden-ndjson',
  format: 'json',
  codes: ['MODEL_INVALID'],
  valid: [Buffer.from('{"document":{"n":1,"c":{"~/":"x"}},"outputs":{"constructor":0.5}}')],
  async read(bytes) {
    const { golden } = await readBundle(async (file) => files(bytes)[file])
    expect(golden.length).toBeGreaterThan(0)
    for (const { outputs } of golden) expect(outputs['constructor']).toBeTypeOf('number')
  },
})

const ONNX = ['classes', 'zipmap-ints', 'zipmap-strings', 'two-outputs', 'named-tensors', 'gather']

fuzz({
  name: 'onnx',
  format: 'bytes',
  codes: ['MODEL_INVALID'],
  valid: ONNX.map((name) => fixture(`${name}.onnx`)),
  read(bytes) {
    refuseExternalData(bytes)
    const graph = readGraph(bytes)
    for (const { name, type } of [...graph.inputs, ...graph.outputs]) {
      expect(name).toBeTypeOf('string')
      expect(['tensor', 'maps', 'other']).toContain(type.kind)
      classLabelsOf(graph, name)
    }
  },
})

const EXPORTS = ['lightgbm-regression', 'xgboost-regression']

fuzz({
  name: 'tree-ensemble',
  format: 'bytes',
  codes: ['MODEL_INVALID'],
  valid: EXPORTS.map((name) => readFileSync(join(ROOT, 'shared/model/import/fixtures', `${name}.onnx`))),
  read(bytes) {
    const ensemble = readTreeEnsemble(bytes, readGraph(bytes))
    const tables = ensemble && leafTablesOf(ensemble, MAX_TABLE_BYTES)
    for (const { thresholds } of tables?.columns ?? []) expect(thresholds).not.toContain(Number.NaN)
  },
})

fuzz({
  name: 'mlmodel',
  format: 'json',
  codes: ['MODEL_NOT_IMPORTABLE'],
  valid: [
    Buffer.from(
      `flavors: {onnx: {data: model.onnx}, python_function: {}}\nsignature: {inputs: '[{"name": "a", "type": "double", "required": true}]', outputs: '[{"name": "y", "type": "float"}]'}\n`,
    ),
    Buffer.from('{"flavors":{"onnx":{"data":"m"}},"saved_input_example_info":{"artifact_path":"e.json"}}'),
  ],
  maxKeptBytes: (inputBytes) => 32 * 2 ** 20 + 2_000 * inputBytes, // the YAML reader keeps every token's place
  share: 0.3,
  read(bytes) {
    if (bytes.length > 10_000) return // the YAML reader's time grows with the square of the depth
    const { onnxFile, columns, outputs } = parseMlmodel(bytes.toString())
    expect(onnxFile).toBeTypeOf('string')
    for (const name of [...(columns ?? []).map((column) => column.name), ...(outputs ?? [])])
      expect(name).toBeTypeOf('string')
  },
})

const folder = mkdtempSync(join(tmpdir(), 'freshet-fuzz-'))
afterAll(() => rmSync(folder, { recursive: true }))

fuzz({
  name: 'input-example',
  format: 'json',
  codes: ['MODEL_NOT_IMPORTABLE'],
  valid: [
    '{"dataframe_split":{"columns":["n",1],"data":[[1,"x"],[2,null]]}}',
    '{"inputs":{"n":[[1],[2]],"c":["x","y"]}}',
    '{"n":1}\n{"n":2,"constructor":3}',
    '[[1,2],[3,4]]',
  ].map((text) => Buffer.from(text)),
  share: 0.3,
  async read(bytes) {
    const exampleFile = join(folder, 'example.json')
    writeFileSync(exampleFile, bytes)
    const { examples } = await readExport(join(ROOT, 'shared/model/fixtures/one-answer.onnx'), {
      exampleFile,
    })
    for (const row of examples) expect(Object.keys(asDocument(row, ['n', 'c']))).toBeInstanceOf(Array)
  },
})

test('an example in wrappers without end holds no rows', () => {
  const deep = `${'{"inputs":'.repeat(100_000)}1${'}'.repeat(100_000)}`
  expect(exampleRows(JSON.parse(deep))).toBeNull()
  expect(exampleRows({ columns: [{ toString: 1 }], data: [[1]] })).toBeNull()
})

const { columns } = parseModelSpec(JSON.stringify(ofEveryKind)).inputs
const wide = columns.filter(({ type }) => type !== 'text')
const seasoned = compileColumns(wide)

fuzz({
  name: 'document',
  format: 'json',
  codes: [],
  valid: [
    Buffer.from('{"n":1.5,"b":true,"c":{"~/":"x"},"t":"2026-01-02T03:04:05Z","x":"t"}'),
    Buffer.from('{"b":false,"t":1700000000000,"c":{"~/":"__proto__"}}'),
    Buffer.from('{"n":null,"b":true,"toString":{"constructor":1}}'),
  ],
  read(bytes) {
    // By layouts of documents before it, and by itself: the same features, or the same reason.
    const rows = [seasoned, compileColumns(wide)].map((writer) => {
      const into = writer.allocate(1)
      const problem = writer.write(bytes, into, 0)
      return problem ?? { numbers: [...into.numbers] }
    })
    expect(rows[0]).toEqual(rows[1])
    if ('numbers' in rows[1]!) for (const number of rows[1].numbers) expect(number).not.toBeNaN()
  },
})
