/** The commands as people run them: real processes on a real store and a real Elasticsearch. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Client } from '@elastic/elasticsearch'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { openS3, type S3ObjectStore } from '@freshet/adapters/s3/s3-object-store.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { flightUpdates, readFlights } from '@freshet/demo/flights.ts'
import { DEMO_FOLDER } from '@freshet/model/bundle/bundles.kit.ts'
import { shadowPointerRecord } from '@freshet/model/bundle/shadow-pointer.ts'
import { addToShadowReport } from '@freshet/model/shadow/stored-report.ts'
import { MANIFEST_OBJECT, type Manifest, manifestRecord } from '@freshet/records/manifest.ts'
import type { ShadowReport } from '@freshet/records/shadow-report.ts'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { freshet, type Outcome } from '../../../test/freshet.ts'

const MLFLOW = fileURLToPath(new URL('../../../shared/model/import/fixtures/mlflow-columns', import.meta.url))

let folder: string
let env: NodeJS.ProcessEnv
let client: Client & AsyncDisposable
const index = `i${randomBytes(5).toString('hex')}`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'freshet-model-'))
  const { elasticsearch } = loadSettings({ env: process.env })
  client = connectElasticsearch(elasticsearch)
  await client.indices.create({ index, settings: { number_of_shards: 2, number_of_replicas: 0 } })
  const flights = (await readFlights()).slice(0, 100)
  const operations = [...flightUpdates(flights, { seed: 1, underWay: 20 })].flatMap(({ id, document }) => [
    { index: { _id: id } },
    { ...document, weather: { ...document.weather, wind_gust: 21 } },
  ])
  await client.bulk({ index, operations, refresh: true })
})

afterAll(async () => {
  await client.indices.delete({ index })
  await client[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

beforeEach(() => {
  env = { FRESHET_S3_PREFIX: `i${randomBytes(5).toString('hex')}`, FRESHET_ELASTICSEARCH_INDEX: index }
})

async function model(...args: readonly string[]): Promise<Outcome> {
  return await freshet(['model', ...args], env)
}

async function json(...args: readonly string[]): Promise<unknown> {
  const { code, stdout, stderr } = await model(...args, '--json')
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return JSON.parse(stdout)
}

/** The demo's bundle as another version. */
async function demoVersion(version: string): Promise<string> {
  const copy = join(folder, `version-${version}`)
  await cp(DEMO_FOLDER, copy, { recursive: true })
  const file = join(copy, 'model.json')
  await writeFile(file, (await readFile(file, 'utf8')).replace('"version": "1"', `"version": "${version}"`))
  return copy
}

test('what no model can be called, and a prefix that is another pipeline’s, are refused before anything is changed', async () => {
  expect(await model('promote', '../x', '1')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('USAGE: '),
  })
  await using store = openS3(loadSettings({ env: { ...process.env, ...env } }).s3)
  await store.put(MANIFEST_OBJECT, Buffer.from(manifestRecord.encode(foreignManifest)))
  for (const words of [['push', DEMO_FOLDER, '--promote'], ['rollback'], ['shadow', 'arrival-delay', '1']])
    expect(await model(...words)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('CONFIG_INVALID: s3.prefix'),
    })
  expect(await store.list('models/')).toEqual([])
})

const foreignManifest: Manifest = {
  version: 1,
  pipeline: 'another',
  sequence: 1,
  writtenAtMs: 1,
  writtenBy: { instance: 'scorer-1', attempt: 'a' },
  partitions: {},
}

test('a model is pushed, promoted, replaced, rolled back, promoted again and listed', async () => {
  expect(await json('push', DEMO_FOLDER, '--promote')).toMatchObject({
    name: 'arrival-delay',
    version: '1',
    promoted: { generation: 1 },
  })
  expect(await json('push', await demoVersion('2'))).toMatchObject({ version: '2', promoted: null })
  expect(await json('promote', 'arrival-delay', '2')).toMatchObject({ modelVersion: '2', generation: 2 })
  expect(await json('rollback')).toMatchObject({ modelVersion: '1', generation: 3 })
  expect(await model('rollback')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('MODEL_NO_PREVIOUS'),
  })
  expect(await json('promote', '--again')).toMatchObject({ modelVersion: '1', generation: 4 })
  expect(await json('shadow', 'arrival-delay', '2')).toMatchObject({ modelVersion: '2' })
  expect(await json('list')).toMatchObject([
    { version: '2', isCurrent: false, isShadow: true },
    { version: '1', isCurrent: true, isShadow: false, generation: 4 },
  ])
  expect(await json('shadow', '--off')).toBeNull()
})

test('a model that scores a golden row otherwise than its author is refused, by check and by push, and nothing is uploaded', async () => {
  await using store = openS3(loadSettings({ env: { ...process.env, ...env } }).s3)
  const folder = await demoWithScore({ row: 42, score: 10_000 })
  for (const outcome of await Promise.all([model('check', folder), model('push', folder, '--promote')]))
    expect(outcome).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^MODEL_GOLDEN: golden row 42: arrival_delay_minutes is .*, its author got 10000 /,
      ),
    })
  expect(await store.list('models/')).toEqual([])
})

/** The demo's bundle, whose author is said to have got another score. */
async function demoWithScore({ row, score }: { row: number; score: number }): Promise<string> {
  const copy = join(folder, `golden-${row}`)
  await cp(DEMO_FOLDER, copy, { recursive: true })
  const file = join(copy, 'golden.ndjson')
  const lines = (await readFile(file, 'utf8')).split('\n')
  const { document, outputs } = JSON.parse(lines[row - 1]!)
  lines[row - 1] = JSON.stringify({ document, outputs: { ...outputs, arrival_delay_minutes: score } })
  await writeFile(file, lines.join('\n'))
  return copy
}

test('a pointer that is lost, damaged or put back is promoted over, above all that was', async () => {
  await using store = openS3(loadSettings({ env: { ...process.env, ...env } }).s3)
  await json('push', DEMO_FOLDER, '--promote')
  await json('promote', '--again')
  await store.delete('models/current.json')
  expect(await model('current')).toMatchObject({ code: 0, stdout: 'no model is promoted\n' })
  expect(await json('promote', 'arrival-delay', '1')).toMatchObject({ generation: 3 })
  await store.put('models/current.json', Buffer.from('{"version":1,'))
  for (const words of [['current'], ['list'], ['rollback'], ['promote', '--again']])
    expect(await model(...words)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        'models/current.json: model pointer is not JSON; promote the model again',
      ),
    })
  expect(await json('promote', 'arrival-delay', '1')).toMatchObject({ generation: 4 })
  expect(await json('promote', '--again', '--above', '8')).toMatchObject({ generation: 9 })
  expect(await model('promote', 'arrival-delay', '1', '--above', '8')).toMatchObject({ code: 2 })
})

test('what scorers reported of a shadow is told as one', async () => {
  await using store = openS3(loadSettings({ env: { ...process.env, ...env } }).s3)
  await setShadowUnseen(store)
  expect(await model('shadow', 'report')).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('delay@2 has no report yet'),
  })
  for (const instance of ['a', 'b']) await addToShadowReport(store, { ...REPORT, instances: [instance] })
  expect(await model('shadow', 'report', 'nope', '1')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('MODEL_MISSING'),
  })
  expect(await json('shadow', 'report')).toMatchObject({ instances: ['a', 'b'], summary: { rows: 200 } })
})

const REPORT: ShadowReport = {
  version: 1,
  shadow: 'delay@2',
  current: 'delay@1',
  sinceMs: 0,
  instances: [],
  fromMs: 0,
  toMs: 1,
  rows: 100,
  skippedRows: 0,
  failedRows: {},
  scoringMs: 1,
  outputs: [],
}

/** As `shadow delay 2` does, without a model. */
async function setShadowUnseen(store: S3ObjectStore): Promise<void> {
  const pointer = { version: 1 as const, name: 'delay', modelVersion: '2', sha256: '', sinceMs: 0 }
  await store.put('models/shadow.json', Buffer.from(shadowPointerRecord.encode(pointer)))
}

test('half a name is a mistake of the caller, and says what is wanted', async () => {
  expect(await model('promote', 'arrival-delay')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('name and version are wanted'),
  })
  expect(await model('check', DEMO_FOLDER, '--live', '0')).toMatchObject({ code: 2 })
})

test('live documents that are as the training was give no concern, and the same seed draws the same', async () => {
  const first = await json('check', DEMO_FOLDER, '--live', '50', '--seed', '7')
  expect(first).toMatchObject({ goldenRows: 100, live: { documents: 50, scored: 50, concerns: [] } })
  expect(await json('check', DEMO_FOLDER, '--live', '50', '--seed', '7')).toEqual(first)
})

test('only documents and fields of the pipeline are looked at', async () => {
  env = {
    ...env,
    FRESHET_ELASTICSEARCH_FILTER: '{"term":{"origin.keyword":"JFK"}}',
    FRESHET_ELASTICSEARCH_EXCLUDE_FIELDS: 'distance',
  }
  const { code, stdout } = await model('check', DEMO_FOLDER, '--live', '--json')
  expect(code).toBe(1)
  const { live } = JSON.parse(stdout)
  const { count } = await client.count({ index, query: { term: { 'origin.keyword': 'JFK' } } })
  expect(live.documents).toBe(count)
  expect(live.concerns).toContain('column distance: no document has /distance')
})

test('a model of MLflow is imported, and its draft can be checked and pushed', async () => {
  const out = join(folder, 'imported')
  const imported = await json('import', MLFLOW, '--out', out, '--name', 'late', '--model-version', '3')
  expect(imported).toMatchObject({ folder: out, goldenRows: 5, spec: { name: 'late', version: '3' } })
  expect((imported as { toFillIn: string[] }).toFillIn.length).toBeGreaterThan(0)
  expect(await json('push', out)).toMatchObject({ name: 'late', version: '3' })
  expect(await model('import', MLFLOW, '--out', out)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('is there already: name another folder with --out'),
  })
})

test('an S3 that stands still is told in time by every command, and that it is waited for before', async () => {
  await using frozen = await silentServer() // as a stopped process: the connection is there, and nothing comes
  env = { ...env, FRESHET_S3_ENDPOINT: `http://127.0.0.1:${frozen.port}` }
  const commands = [
    ['current'],
    ['list'],
    ['push', DEMO_FOLDER],
    ['promote', 'arrival-delay', '1'],
    ['rollback'],
    ['shadow', 'report'],
  ]
  const outcomes = await Promise.all(commands.map((words) => model(...words)))
  for (const [at, { code, stdout, stderr }] of outcomes.entries()) {
    expect([code, stdout], commands[at]!.join(' ')).toEqual([2, ''])
    expect(stderr).toMatch(/: still at it after \d+ s\n/)
    expect(stderr).toMatch(/S3_UNREACHABLE: .*no answer from http:\/\/127.0.0.1:\d+ \(s3.endpoint\) in time/)
  }
})

async function silentServer(): Promise<{ readonly port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>()
  const server = createServer({ pauseOnConnect: true }, (socket) => sockets.add(socket))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await once(server.close(), 'close')
    },
  }
}
