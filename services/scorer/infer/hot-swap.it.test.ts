/**
 * Two scorers share a pipeline while changes keep coming and the next model is promoted. One model gives ten times what
 * the other gives, so each score tells by which it was made.
 */
import { Buffer } from 'node:buffer'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import type { ModelBundle } from '@freshet/model/bundle/bundle.ts'
import { pushModel } from '@freshet/model/bundle/bundle-store.ts'
import { fixtureBundle } from '@freshet/model/bundle/bundles.kit.ts'
import { promoteModel } from '@freshet/model/bundle/pointer-store.ts'
import type { Change } from '@freshet/records/change.ts'
import { decodeScoreBatch, keyAt, type ScoreBatch, stateAt } from '@freshet/records/score-batch.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { expect, test } from 'vitest'
import { DeadLetters } from '../dead-letters.ts'
import { runInfer } from '../infer-worker.ts'
import { World, whileRunning } from '../world.kit.ts'

const WRITE_ROWS = 40
const PARTITIONS = 4
const DEADLINE_MS = 45_000

/** The score is a, times 10 or times 100. */
async function modelOf(version: 'ten' | 'hundred'): Promise<ModelBundle> {
  const column = version === 'ten' ? 1 : 2
  const outputs = [{ name: 'score', tensor: 'scores', column }]
  const bundle = await fixtureBundle('two-outputs.onnx', outputs, version)
  return { ...bundle, golden: [{ document: { a: 3, b: 0 }, outputs: { score: 3 * 10 ** column } }] }
}

function change(seqNo: number): Change {
  return {
    key: Buffer.from(`flights/${seqNo}`),
    revision: { documentVersion: 0, epoch: 1_764_000_000_000, primaryTerm: 1, seqNo },
    capturedAtMs: 1_764_000_000_000 + seqNo,
    source: Buffer.from(JSON.stringify({ a: seqNo, b: 0 })),
    trace: null,
  }
}

/** One scorer, until the signal aborts. */
async function scorer(world: World, signal: AbortSignal): Promise<void> {
  const context = world.context(signal)
  const { settings, telemetry } = context
  const options = { clock: systemClock, log: telemetry.log, deadlineMs: 10_000 }
  await using producer = new Producer(world.connection, options)
  await using store = openS3(settings.s3)
  const { pipeline } = settings
  const deadLetters = new DeadLetters({ pipeline, producer, telemetry, clock: systemClock })
  await runInfer(context, { connection: world.connection, producer, deadLetters, store, clock: systemClock })
}

async function batchesOf(world: World): Promise<ScoreBatch[]> {
  return (await world.read('scores')).map(({ value }) => decodeScoreBatch(value!))
}

test('every scorer moves to the promoted model without a gap, and no batch holds scores of two models', async () => {
  await using world = await World.open({
    FRESHET_SCORER_WORKERS: 'infer',
    FRESHET_SCORER_THREADS: '1',
    FRESHET_MODEL_POINTER_INTERVAL_MS: '200',
  })
  await using store = openS3(world.settings.s3)
  const [ten, hundred] = [await modelOf('ten'), await modelOf('hundred')]
  for (const model of [ten, hundred]) await pushModel(store, model)
  await promoteModel(store, ten.spec, Date.now())

  const deadline = AbortSignal.timeout(DEADLINE_MS)
  let written = 0
  /** Writes and reads until every partition's newest changes were scored by this model. */
  const writeUntilScoredBy = async (version: string) => {
    for (;;) {
      deadline.throwIfAborted()
      const from = written
      written += WRITE_ROWS
      await world.write(Array.from({ length: WRITE_ROWS }, (_, row) => change(from + row)))
      const newest = (await batchesOf(world)).filter(({ header, rows }) => {
        return header.model.version === version && rows.seqNos.some((seqNo) => seqNo >= from - WRITE_ROWS)
      })
      if (new Set(newest.map(({ header }) => header.partition)).size === PARTITIONS) return
    }
  }
  const twoScorers = (signal: AbortSignal) => [scorer(world, signal), scorer(world, signal)]
  await whileRunning(twoScorers, async () => {
    await writeUntilScoredBy('ten')
    await promoteModel(store, hundred.spec, Date.now())
    await writeUntilScoredBy('hundred')
    await expect.poll(async () => missing(await batchesOf(world), written), { timeout: 20_000 }).toEqual([])
  })

  for (const { header, rows } of await batchesOf(world))
    for (let row = 0; row < rows.count; row++) {
      expect(stateAt(rows, row)).toBe('scored')
      const factor = header.model.version === 'ten' ? 10 : 100
      expect(rows.outputs[0]![row], keyAt(rows, row).toString()).toBe(Math.fround(rows.seqNos[row]! * factor))
    }
  expect(await world.read('dead')).toEqual([])
})

/** Changes that no batch holds. */
function missing(batches: readonly ScoreBatch[], written: number): number[] {
  const seen = new Set(batches.flatMap(({ rows }) => [...rows.seqNos]))
  return Array.from({ length: written }, (_, seqNo) => seqNo).filter((seqNo) => !seen.has(seqNo))
}
