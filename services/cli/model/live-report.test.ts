import { Buffer } from 'node:buffer'
import type { ModelBundle } from '@freshet/model/bundle/bundle.ts'
import { fixtureBundle } from '@freshet/model/bundle/bundles.kit.ts'
import type { Column } from '@freshet/model/bundle/spec.ts'
import { describe, expect, test } from 'vitest'
import { describeLive } from './describe-live.ts'
import { reportLive } from './live-report.ts'
import type { LiveReport } from './report-shape.ts'

/** Its score is 10 · a + 20 · b. */
async function bundleOf(a: Partial<Column>, b: Partial<Column>): Promise<ModelBundle> {
  const bundle = await fixtureBundle('two-outputs.onnx', [{ name: 'ten', tensor: 'scores', column: 1 }])
  const [first, second] = bundle.spec.inputs.columns
  const columns = [
    { ...first, ...a },
    { ...second, ...b },
  ] as Column[]
  return { ...bundle, spec: { ...bundle.spec, inputs: { ...bundle.spec.inputs, columns } } }
}

async function reportOf(bundle: ModelBundle, documents: readonly unknown[]): Promise<LiveReport> {
  const half = documents.length >> 1
  return await reportLive(
    bundle,
    (async function* () {
      for (const page of [documents.slice(0, half), documents.slice(half)])
        yield page.map((document) => Buffer.from(JSON.stringify(document)))
    })(),
  )
}

const optional = { required: undefined, default: 5 }
const carrier: Partial<Column> = { type: 'category', categories: ['AA', 'UA'], unknown: -1 }

test('coverage, categories, values and scores are those of the documents', async () => {
  const bundle = await bundleOf({ ...optional, training: { min: 0, max: 3, missing: 0.25 } }, carrier)
  const report = await reportOf(bundle, [
    { a: 1, b: 'UA' },
    { a: 3, b: 'AA' },
    { a: 4, b: 'ZZ' },
    { b: 'ZZ' },
  ])
  expect(report).toMatchObject({ documents: 4, scored: 4, setAside: [] })
  const [a, b] = report.columns
  expect(a).toMatchObject({
    present: 0.75,
    defaulted: 0.25,
    unknown: null,
    values: { min: 1, mean: 8 / 3, max: 4 },
  })
  expect(a!.outside).toBeCloseTo(1 / 3)
  expect(b).toMatchObject({ present: 1, defaulted: null, unknown: 0.5, unknownTexts: ['ZZ'], outside: null })
  expect(b!.values).toEqual({ min: -1, mean: -0.25, max: 1 })
  expect(report.outputs).toEqual([
    { name: 'ten', stability: null, scores: { min: 20, p10: 20, p50: 30, p90: 30, max: 30, mean: 27.5 } },
  ])
})

test('a document that cannot be scored still counts for each column, and its reason is told', async () => {
  const report = await reportOf(await bundleOf({}, {}), [{ a: 1, b: 2 }, { a: 1 }, { b: 'x' }, [], { a: 1 }])
  expect(report).toMatchObject({ documents: 5, scored: 1 })
  expect(report.columns.map(({ present }) => present)).toEqual([3 / 5, 2 / 5])
  expect(report.setAside).toEqual([
    { code: 'FIELD_MISSING', at: '/b', count: 2 },
    { code: 'FIELD_MISSING', at: '/a', count: 1 },
    { code: 'DOCUMENT_NOT_JSON', at: null, count: 1 },
  ])
  expect(report.concerns).toContain('40.0 % of the documents cannot be scored: FIELD_MISSING at /b')
})

describe('concerns', () => {
  test('none where documents are as the training was', async () => {
    const bundle = await bundleOf({ training: { min: 0, max: 20 } }, optional)
    const documents = Array.from({ length: 20 }, (_, a) => ({ a, b: 1 }))
    const report = await reportOf(bundle, documents)
    expect(report.concerns).toEqual([])
    expect(describeLive(report)).toContain('nothing to worry about')
  })

  test.each<[string, Partial<Column>, Partial<Column>, object, string]>([
    ['a field in no document', optional, {}, { b: 1 }, 'column a: no document has /a'],
    [
      'unknown categories',
      {},
      carrier,
      { a: 1, b: 'ZZ' },
      'column b: 100.0 % of /b are of no category, such as "ZZ"',
    ],
    [
      'values that the training did not have',
      { training: { max: 3 } },
      {},
      { a: 4, b: 1 },
      'column a: 100.0 % of /a are outside of what the training had',
    ],
    ['the same score for all', {}, {}, { a: 1, b: 1 }, 'ten is 30 for every document'],
  ])('%s', async (_, a, b, document, concern) => {
    const report = await reportOf(await bundleOf(a, b), Array(20).fill(document))
    expect(report.concerns).toContain(concern)
    expect(describeLive(report)).toContain(`  - ${concern}`)
  })

  test('a field that is missing more often than in the training', async () => {
    const bundle = await bundleOf({ ...optional, training: { missing: 0.2 } }, {})
    const documents = Array.from({ length: 10 }, (_, b) => (b < 4 ? { b } : { a: b, b }))
    expect((await reportOf(bundle, documents)).concerns).toEqual([
      'column a: 40.0 % of the documents do not have /a; in the training 20.0 % did not',
    ])
  })

  test('scores that lie elsewhere than those of the golden rows', async () => {
    const bundle = await bundleOf({}, {})
    const golden = Array.from({ length: 100 }, (_, a) => ({
      document: { a, b: 0 },
      outputs: { ten: 10 * a },
    }))
    const like = Array.from({ length: 1_000 }, (_, row) => ({ a: row % 100, b: 0 }))
    const unlike = like.map(({ a }) => ({ a: a + 70, b: 0 }))
    const report = await reportOf({ ...bundle, golden }, like)
    expect(report.outputs[0]!.stability).toBeLessThan(0.1)
    expect(report.concerns).toEqual([])
    const other = await reportOf({ ...bundle, golden }, unlike)
    expect(other.outputs[0]!.stability).toBeGreaterThan(0.25)
    expect(other.concerns).toEqual([expect.stringContaining('ten: scores lie elsewhere')])
  })

  test('an index without documents', async () => {
    expect((await reportOf(await bundleOf({}, {}), [])).concerns).toEqual([
      'there is no document in scope: see elasticsearch.index and elasticsearch.filter',
    ])
  })
})
