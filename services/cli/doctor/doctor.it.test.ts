import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { ensureBucket } from '@freshet/adapters/s3/s3-bucket.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { rankSchema } from '@freshet/config/gateway-rank.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { selfSigned } from '@freshet/gateway/server/certificate.kit.ts'
import { MANIFEST_OBJECT, manifestRecord } from '@freshet/records/manifest.ts'
import { expect, onTestFinished, test } from 'vitest'
import { complaintOf, describeCapture, reportCapture } from './capture-report.ts'
import { runChecks, SNAPSHOT_CHECK } from './doctor.ts'

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
    (await runChecks({ ...settings, pipeline })).find(({ name }) => name === SNAPSHOT_CHECK)
  expect(await told('flights')).toEqual({ name: SNAPSHOT_CHECK })
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

test('doctor compiles the templates of rank, and searches with the key that the gateway searches with', async () => {
  const told = async (rank: object) => {
    const { gateway, ...settings } = loadSettings({ env: process.env })
    const results = await runChecks({
      ...settings,
      gateway: { ...gateway, rank: { ...gateway.rank, ...rank } },
    })
    return results.find(({ name }) => name.includes('rank'))
  }
  expect(await told({})).not.toHaveProperty('error')
  const query = { term: { a: { $param: 'x' } } }
  const { templates } = rankSchema.parse({ templates: { near: { query } } })
  expect((await told({ templates }))?.error).toMatch(/^CONFIG_INVALID.*near.*no parameter is called x/)
  const { templates: elsewhere } = rankSchema.parse({
    templates: { near: { index: 'no-such-index', query: { match_all: {} } } },
  })
  expect((await told({ templates: elsewhere, apiKey: 'a2V5' }))?.error).toMatch(
    /^(INDEX_MISSING|ELASTICSEARCH_UNAUTHORIZED).*gateway\.rank\.apiKey, no-such-index/,
  )
})

test('doctor warns of a certificate of the gateway that ends soon', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-doctor-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const { gateway, ...settings } = loadSettings({ env: process.env })
  const tls = selfSigned(folder, 'gateway').files
  const results = await runChecks({ ...settings, gateway: { ...gateway, tls } })
  const found = results.find(({ name }) => name === 'who may ask the gateway')
  expect(found).toEqual({ name: found?.name, warnings: [expect.stringMatching(/the certificate ends on/)] })
})
