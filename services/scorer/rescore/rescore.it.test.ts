/**
 * A promoted model scores everything again, on real Kafka, Redis and S3. Two versions of a small model give other scores
 * for the same document, and a plain reference says which; the generation in Redis says which promotion it was.
 */
import { Buffer } from 'node:buffer'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import type { ModelBundle } from '@freshet/model/bundle/bundle.ts'
import { pushModel } from '@freshet/model/bundle/bundle-store.ts'
import { fixtureBundle } from '@freshet/model/bundle/bundles.kit.ts'
import { promoteModel } from '@freshet/model/bundle/pointer-store.ts'
import { scoreDocuments } from '@freshet/model/run/score-documents.ts'
import type { Change } from '@freshet/records/change.ts'
import { DEAD_LETTER_HEADER, deadLetterRecord } from '@freshet/records/dead-letter.ts'
import { afterEach, expect, test, vi } from 'vitest'
import { runScorer } from '../main.ts'
import { World } from '../world.kit.ts'

const DEADLINE = { timeout: 60_000, interval: 100 }

vi.setConfig({ testTimeout: 150_000 })
const ROWS = 3_000
const DELETED = 7
const POISON = 11

let world: World
let models: readonly [ModelBundle, ModelBundle]

async function open(): Promise<void> {
  world = await World.open({
    FRESHET_SCORER_WORKERS: 'infer,cache',
    FRESHET_MODEL_POINTER_INTERVAL_MS: '200',
    FRESHET_SCORER_RESCORE_SHARE: '1',
  })
  models = [await modelOf('1', 1), await modelOf('2', 0)]
  await using store = openS3(world.settings.s3)
  for (const model of models) await pushModel(store, model)
}

afterEach(async () => {
  await world[Symbol.asyncDispose]()
})

/** Its score is one column of what the network answers, so versions differ. */
async function modelOf(version: string, column: number): Promise<ModelBundle> {
  const bundle = await fixtureBundle('two-outputs.onnx', [{ name: 'ten', tensor: 'scores', column }], version)
  const [{ document }] = bundle.golden as [ModelBundle['golden'][number]]
  const [score] = await scoreDocuments(bundle, [Buffer.from(JSON.stringify(document))])
  const outputs = score?.state === 'scored' ? score.outputs : {}
  return { ...bundle, golden: [{ document, outputs }] }
}

/** @returns the generation of the promotion. */
async function promote({ spec }: ModelBundle): Promise<number> {
  await using store = openS3(world.settings.s3)
  return (await promoteModel(store, spec, Date.now())).generation
}

function change(id: number, seqNo: number): Change {
  const document = id % 1_000 === POISON ? { a: 'no number', b: 1 } : { a: id, b: seqNo }
  return {
    key: Buffer.from(`row/${id}`),
    revision: { documentVersion: 0, epoch: 1_764_000_000_000, primaryTerm: 1, seqNo },
    capturedAtMs: 1_764_000_000_000 + seqNo,
    source: id % 1_000 === DELETED ? null : Buffer.from(JSON.stringify(document)),
    trace: null,
  }
}

const changes = (seqNo = 0) => Array.from({ length: ROWS }, (_, id) => change(id, seqNo + id))

/** Every key has the score that this model gives its newest document, under this promotion; deletes stay deleted. */
async function expectScored(all: readonly Change[], model: ModelBundle, generation: number): Promise<void> {
  const newest = [...new Map(all.map((one) => [one.key.toString(), one])).values()]
  const living = newest.filter(({ source }) => source !== null)
  const scores = await scoreDocuments(
    model,
    living.map(({ source }) => source!),
  )
  const expected = new Map(living.map(({ key }, row) => [key.toString(), scores[row]!]))
  await vi.waitFor(async () => {
    const found = await world.stored(newest.map(({ key }) => key.toString()))
    const wrong = [...found].filter(([key, score]) => {
      const truth = expected.get(key)
      if (truth === undefined) return score?.state !== 'deleted'
      const isNewest = score?.rank.modelGeneration === generation && score.state === truth.state
      return !isNewest || (truth.state === 'scored' && score.outputs['ten'] !== truth.outputs['ten'])
    })
    expect(wrong.slice(0, 3), `${wrong.length} of ${newest.length}`).toEqual([])
  }, DEADLINE)
}

/** A scorer, until it is stopped. */
function startScorer() {
  const stop = new AbortController()
  const running = runScorer(world.context(stop.signal))
  running.catch(() => {}) // whoever waits for `running` hears of it
  return {
    running,
    stop: () => stop.abort(),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running
    },
  }
}

const figure = (name: string) => world.metrics.values()[name]!

test('what is scored is scored again with a promoted model, and nothing else happens to it', async () => {
  await open()
  const all = changes()
  const first = await promote(models[0])
  const noChange = { partition: 0, key: Buffer.from('x'), value: Buffer.from('{}'), headers: {} }
  await world.producer.send(world.topic('changes'), [noChange], AbortSignal.timeout(10_000))
  await world.write(all)
  await using _ = startScorer()
  await expectScored(all, models[0], first)
  expect(figure('freshet.rescore.rows')).toBe(0)
  const living = all.filter(({ source }) => source !== null).length
  await vi.waitFor(() => expect(figure('freshet.drift.rows')).toBeGreaterThanOrEqual(living), DEADLINE)
  expect(figure('freshet.drift.mean.b')).toBeCloseTo(ROWS / 2, -2)

  const promotedAtSeconds = Date.now() / 1_000
  const second = await promote(models[1])
  await expectScored(all, models[1], second)
  await vi.waitFor(() => {
    expect(figure('freshet.rescore.generation')).toBe(second)
    expect(figure('freshet.rescore.left')).toBe(0)
  }, DEADLINE)
  expect(figure('freshet.rescore.rows')).toBeGreaterThanOrEqual(ROWS - 10)
  expect(figure('freshet.rescore.total')).toBeGreaterThan(ROWS - 10)
  expect(figure('freshet.rescore.began_at')).toBeGreaterThanOrEqual(promotedAtSeconds)
  expect(figure('freshet.rescore.began_at')).toBeLessThanOrEqual(Date.now() / 1_000)

  const letters = (await world.read('dead')).map(({ key, headers }) => {
    const { code, model } = deadLetterRecord.decode(headers[DEAD_LETTER_HEADER]!)
    return `${key} ${code} ${model}`
  })
  expect(letters.filter((letter) => letter.startsWith('x '))).toEqual(['x RECORD_MALFORMED fixture@1'])
  expect(new Set(letters)).toContain(`row/${POISON} FIELD_TYPE fixture@2`)
})

test('a scorer that is stopped in the middle goes on where it was', async () => {
  await open()
  const all = changes()
  const first = await promote(models[0])
  await world.write(all)
  const a = startScorer()
  await expectScored(all, models[0], first)
  const add = world.metrics.add.bind(world.metrics)
  vi.spyOn(world.metrics, 'add').mockImplementation((name, ...more) => {
    add(name, ...more)
    if (name === 'freshet.rescore.rows') a.stop()
  })
  const second = await promote(models[1])
  await a.running
  vi.restoreAllMocks()
  const done = figure('freshet.rescore.rows')
  expect(done).toBeGreaterThan(0)
  expect(done).toBeLessThan(ROWS)
  await using _ = startScorer()
  await expectScored(all, models[1], second)
  // What was in hand when it stopped may come twice, and no more.
  expect(figure('freshet.rescore.rows')).toBeLessThanOrEqual(ROWS + 500)
})
