import { randomBytes } from 'node:crypto'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { ensureBucket, openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { MANIFEST_OBJECT, manifestRecord } from '@freshet/records/manifest.ts'
import { expect, onTestFinished, test } from 'vitest'
import { complaintOf, describeCapture, reportCapture } from './capture-report.ts'
import { runChecks } from './doctor.ts'

/** Two indices behind one pattern: `-good` holds documents of all kinds of date, `-bad` keeps no _source. */
async function scratchPattern() {
  const name = `t${randomBytes(5).toString('hex')}`
  const [good, bad] = [`${name}-good`, `${name}-bad`]
  const settings = loadSettings({ env: process.env })
  const client = connectElasticsearch(settings.elasticsearch)
  onTestFinished(async () => {
    await client.indices.delete({ index: [good, bad] })
    await client.close()
  })
  const shards = { number_of_shards: 2, number_of_replicas: 0 }
  const at = { properties: { at: { type: 'date' } } } as const
  await client.indices.create({ index: good, settings: shards, mappings: at })
  await client.indices.create({ index: bad, settings: shards, mappings: { _source: { enabled: false } } })
  const operations = ['2020-01-01', '2999-01-01', undefined].flatMap((date) => [{ index: {} }, { at: date }])
  await client.bulk({ index: good, operations, refresh: true })
  return { good, bad, settings, pattern: `${name}-*` }
}

const soon = () => AbortSignal.timeout(45_000)

test('doctor names an index that is left out with the way out, and those that are captured', async () => {
  const { good, bad, settings, pattern } = await scratchPattern()
  const capture = await reportCapture({ ...settings.elasticsearch, index: pattern }, soon())
  expect(complaintOf(capture)?.message).toMatch(
    new RegExp(`1 of 2 indices are left out: ${bad} has _source disabled`),
  )
  expect(capture.indices).toMatchObject([
    { name: bad, verdict: 'refused' },
    { name: good, verdict: 'capturable', kind: 'standard', shards: 2, notes: [] },
  ])
})

test('doctor counts the documents that timestamp mode never finds, and those that it does not find yet', async () => {
  const { good, settings } = await scratchPattern()
  const elasticsearch = {
    ...settings.elasticsearch,
    index: good,
    mode: 'timestamp',
    timestampField: 'at',
  } as const
  const capture = await reportCapture(elasticsearch, soon())
  expect(capture.promise).toMatch(/promises less/)
  expect(capture.indices[0]?.notes).toEqual([
    'documents without at, which are never found: 1',
    'documents dated in the future, which wait until then: 1',
  ])
})

test.each([
  ['INDEX_MISSING', { index: 'no-such-index' }],
  ['ELASTICSEARCH_UNREACHABLE', { url: 'http://127.0.0.1:1' }],
])(
  'doctor promises nothing where there is nothing to capture (%s), and tells the scope',
  async (code, part) => {
    const settings = loadSettings({ env: process.env })
    const [first] = await runChecks({ ...settings, elasticsearch: { ...settings.elasticsearch, ...part } })
    expect(first).toMatchObject({
      error: expect.stringMatching(new RegExp(`^${code}`)),
      capture: { mode: 'seqNo', promise: null, indices: [] },
    })
    expect(describeCapture(first!.capture!)[0]).toBe('scope: all documents; named by index/id')
  },
)

test('doctor names what is wrong with the snapshot: files that are gone, and that it is another pipeline’s', async () => {
  const given = loadSettings({ env: process.env })
  const settings = { ...given, s3: { ...given.s3, prefix: `t${randomBytes(5).toString('hex')}` } }
  await ensureBucket(settings.s3)
  await using store = openS3(settings.s3)
  const told = async (pipeline: string) =>
    (await runChecks({ ...settings, pipeline })).find(({ name }) => name === 'the snapshot in S3')
  expect(await told('flights')).toEqual({ name: 'the snapshot in S3' })
  const base = { object: '0/base', rows: 1, bytes: 5, newestAsOfMs: 1 }
  const manifest = manifestRecord.encode({
    version: 1,
    pipeline: 'flights',
    sequence: 1,
    writtenAtMs: 1,
    writtenBy: { instance: 'test', attempt: '1' },
    partitions: { 0: { nextOffset: 1, base, deltas: [], retired: [] } },
  })
  await store.put(MANIFEST_OBJECT, Buffer.from(manifest))
  expect((await told('flights'))?.error).toMatch(/^SNAPSHOT_FILE_MISSING.*`freshet snapshot check`/)
  expect((await told('shop'))?.error).toMatch(/^CONFIG_INVALID: s3\.prefix.*of pipeline flights/)
  await store.delete(MANIFEST_OBJECT)
})
