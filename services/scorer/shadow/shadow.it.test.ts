/** A second model scores beside the promoted one, on real Kafka, Redis and S3. */
import { Buffer } from 'node:buffer'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import type { ModelBundle } from '@freshet/model/bundle/bundle.ts'
import { pushModel } from '@freshet/model/bundle/bundle-store.ts'
import { fixtureBundle } from '@freshet/model/bundle/bundles.kit.ts'
import { promoteModel } from '@freshet/model/bundle/pointer-store.ts'
import { setShadow, shadowPointerRecord } from '@freshet/model/bundle/shadow-pointer.ts'
import { readShadowReport } from '@freshet/model/shadow/stored-report.ts'
import { summarize } from '@freshet/model/shadow/summarize.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { Change } from '@freshet/records/change.ts'
import { decodeScoreBatch, modelLabel } from '@freshet/records/score-batch.ts'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { World, withScorer } from '../world.kit.ts'

const DEADLINE = { timeout: 60_000, interval: 100 }
vi.setConfig({ testTimeout: 150_000 })

const LABEL = 'fixture@2'
let world: World
let store: ObjectStore & AsyncDisposable

beforeEach(async () => {
  world = await World.open({
    FRESHET_SCORER_WORKERS: 'infer,cache',
    FRESHET_MODEL_POINTER_INTERVAL_MS: '100',
  })
  store = openS3(world.settings.s3)
  const promoted = await fixtureBundle(
    'two-outputs.onnx',
    [{ name: 'ten', tensor: 'scores', column: 1 }],
    '1',
  )
  await pushModel(store, promoted)
  await promoteModel(store, promoted.spec, Date.now())
})

afterEach(async () => {
  await store[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

/** The same scores, but it wants field /c, which every tenth document has not. */
async function shadowBundle(): Promise<ModelBundle> {
  const bundle = await fixtureBundle('two-outputs.onnx', [{ name: 'ten', tensor: 'scores', column: 1 }], '2')
  const [a] = bundle.spec.inputs.columns
  const columns: ModelBundle['spec']['inputs']['columns'] = [
    a!,
    { name: 'c', path: '/c', type: 'number', required: true },
  ]
  return {
    ...bundle,
    spec: { ...bundle.spec, inputs: { ...bundle.spec.inputs, columns } },
    golden: [{ document: { a: 1, c: 2 }, outputs: { ten: 50 } }],
  }
}

function change(id: number): Change {
  const document = { a: id, b: 1, ...(id % 10 !== 0 && { c: 2 }) }
  return {
    key: Buffer.from(`row/${id}`),
    revision: { documentVersion: 0, epoch: 1_764_000_000_000, primaryTerm: 1, seqNo: id },
    capturedAtMs: 1_764_000_000_000 + id,
    source: Buffer.from(JSON.stringify(document)),
    trace: null,
  }
}

const changes = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => change(from + i))

const readReport = () => readShadowReport(store, LABEL)

const figure = (name: string) => world.metrics.values()[name]!

/** A row that is scored before the shadow is there is not compared, so they come until enough were. */
async function feedUntilCompared(rows: number): Promise<void> {
  await vi.waitFor(async () => {
    await world.write(changes(written, (written += 20)))
    expect(figure('freshet.shadow.rows')).toBeGreaterThanOrEqual(rows)
  }, DEADLINE)
}

let written = 0

test('a shadow is compared row by row, its report outlives its scorer, and its scores go nowhere', async () => {
  const shadow = await shadowBundle()
  await pushModel(store, shadow)
  await setShadow(store, shadow.spec, Date.now())
  await withScorer(world, () => feedUntilCompared(10))
  const before = await readReport()
  expect(before!.rows).toBeGreaterThanOrEqual(10)
  await withScorer(world, async () => {
    await feedUntilCompared(before!.rows + 100)
    await vi.waitFor(
      async () => expect(await storedStates()).toEqual(new Set(['fixture@1 scored'])),
      DEADLINE,
    )
  })
  const report = (await readReport())!
  expect(report).toMatchObject({ shadow: LABEL, current: 'fixture@1', instances: ['scorer-test'] })
  expect(report.rows).toBe(figure('freshet.shadow.rows'))
  const { outputs, failedShare, microsecondsPerRow } = summarize(report)
  expect(failedShare).toBeGreaterThan(0)
  expect(report.failedRows['FIELD_MISSING']! + outputs[0]!.pairs).toBe(report.rows)
  expect(microsecondsPerRow).toBeGreaterThan(0)
  expect(outputs).toMatchObject([{ name: 'ten', rankCorrelation: 1 }])

  expect(await modelsInScores()).toEqual(new Set(['fixture@1']))
  expect(await world.read('dead')).toEqual([])
})

/** Whom caches and snapshots are told of. Redis would not show a row that ties with the one before it. */
async function modelsInScores(): Promise<Set<string>> {
  const messages = await world.read('scores')
  return new Set(messages.map(({ value }) => modelLabel(decodeScoreBatch(value!).header.model)))
}

async function storedStates(): Promise<Set<string>> {
  const stored = await world.stored(changes(0, written).map(({ key }) => key.toString()))
  return new Set([...stored.values()].map((score) => `${score?.model} ${score?.state}`))
}

test('a shadow that is not what its pointer says is refused once, and scoring goes on', async () => {
  const shadow = await shadowBundle()
  await pushModel(store, shadow)
  const pointer = await setShadow(store, shadow.spec, Date.now())
  const other = shadowPointerRecord.encode({ ...pointer, sha256: '0'.repeat(64) })
  await store.put('models/shadow.json', Buffer.from(other))
  await withScorer(world, async () => {
    await vi.waitFor(() => expect(refusals()).toHaveLength(1), DEADLINE)
    await world.write(changes(0, 100))
    await vi.waitFor(() => expect(figure('freshet.scorer.scored')).toBe(100), DEADLINE)
  })
  expect(refusals()).toHaveLength(1)
  expect(await readReport()).toBeNull()
})

const refusals = () => world.complaints.filter((line) => line.startsWith(`${LABEL} is refused as a shadow`))
