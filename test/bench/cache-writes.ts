import { RedisScoreStore } from '@freshet/adapters/redis/redis-score-store.ts'
import { emptyRows, keyAt, type ScoreBatch, STATE } from '@freshet/records/score-batch.ts'
import { rowsOfBatch } from '@freshet/records/stored-rows.ts'
import { encodeStoredScore, storedScoreOf } from '@freshet/records/stored-score.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Redis } from 'ioredis'
import { Stack } from '../stack.ts'
import { costOf } from './cost.ts'
import type { Bench, Figure, Sample } from './figure.ts'
import { flightDocuments } from './flight-documents.ts'
import { forgetKeys } from './forget-keys.ts'

const KEYS = 200_000
const BATCH_ROWS = 2_000
const PIPELINE = 256

/**
 * Score batches as the cache worker has them, to Redis behind the rank guard: the first time all are new, then all win.
 * Baseline: SET in pipelines, of keys and values that lie ready as text; whatever comes last stays.
 */
export const cacheWrites: Figure = {
  name: 'cache-writes',
  unit: 'keys/s',
  title: `${KEYS} scores in batches of ${BATCH_ROWS} written to Redis by rank; baseline: SET of ready texts, ${PIPELINE} a pipeline`,
  targets: [{ of: 'value', atLeast: 80_000 }],
  async open(): Promise<Bench> {
    await using opened = new AsyncDisposableStack()
    const stack = opened.use(await Stack.open())
    const { redis: settings, pipeline } = stack.settings
    const admin = new Redis(settings.url)
    opened.defer(() => admin.disconnect())
    opened.defer(() => forgetKeys(admin, pipeline))
    const store = opened.use(await RedisScoreStore.open(settings, { pipeline, log: quietLog }))
    const keys = (await flightDocuments(KEYS)).map(({ id }) => `${stack.index}/${id}`)
    const texts = batchesOf(keys, 0).flatMap((batch) => textsOf(batch, `${pipeline}:bare:`))
    const keep = opened.move()
    let seqNo = 1
    return {
      ours: () =>
        written(admin, batchesOf(keys, seqNo++), async (batch) => await store.merge(rowsOfBatch(batch))),
      baselines: { set: () => written(admin, pipelinesOf(texts), (some) => setAll(admin, some)) },
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}

/** One after the other, as the cache worker merges what a fetch brought. */
async function written<Chunk>(
  admin: Redis,
  chunks: readonly Chunk[],
  write: (chunk: Chunk) => Promise<void>,
): Promise<Sample> {
  const before = await redisCpuMicros(admin)
  const { seconds, cpuMicros } = await costOf(async () => {
    for (const chunk of chunks) await write(chunk)
  })
  const redisMicros = (await redisCpuMicros(admin)) - before
  return {
    value: KEYS / seconds,
    cpuMicrosPerRow: cpuMicros / KEYS,
    also: { redisMicrosPerKey: redisMicros / KEYS },
  }
}

async function redisCpuMicros(admin: Redis): Promise<number> {
  const info = await admin.info('cpu')
  const seconds = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)![1])
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6
}

/** @param round every round outranks the one before */
function batchesOf(keys: readonly string[], round: number): ScoreBatch[] {
  return Array.from({ length: keys.length / BATCH_ROWS }, (_, i) =>
    batchOf(keys.slice(i * BATCH_ROWS, (i + 1) * BATCH_ROWS), round * KEYS + i * BATCH_ROWS),
  )
}

function batchOf(keys: readonly string[], firstSeqNo: number): ScoreBatch {
  const bytes = keys.map((key) => Buffer.from(key))
  const rows = emptyRows(keys.length, Buffer.concat(bytes).length, 1)
  rows.keys.set(Buffer.concat(bytes))
  for (const [i, key] of bytes.entries()) {
    rows.keyOffsets[i + 1] = rows.keyOffsets[i]! + key.length
    rows.epochs[i] = 1_764_000_000_123
    rows.primaryTerms[i] = 3
    rows.seqNos[i] = firstSeqNo + i
    rows.asOfMs[i] = 1_764_000_001_456 + (i % 100)
    rows.states[i] = STATE.scored
    rows.outputs[0]![i] = Math.fround(Math.sin(firstSeqNo + i) * 100) // as models give it
  }
  const model = { name: 'arrival-delay', version: '1', generation: 7 }
  const offsets = { partition: 0, fromOffset: 0, toOffset: keys.length - 1 }
  const outputs = ['arrival_delay_minutes']
  return { header: { ...offsets, model, outputs, scoredAtMs: 1_764_000_002_000, trace: null }, rows }
}

function textsOf(batch: ScoreBatch, prefix: string): [key: string, value: string][] {
  const rows = rowsOfBatch(batch)
  return Array.from({ length: rows.count }, (_, row) => [
    prefix + keyAt(rows, row).toString(),
    encodeStoredScore(storedScoreOf(rows, row)),
  ])
}

function pipelinesOf<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / PIPELINE) }, (_, i) =>
    all.slice(i * PIPELINE, (i + 1) * PIPELINE),
  )
}

async function setAll(
  redis: Redis,
  texts: readonly (readonly [key: string, value: string])[],
): Promise<void> {
  const pipeline = redis.pipeline()
  for (const [key, value] of texts) pipeline.set(key, value)
  await pipeline.exec()
}
