import { randomBytes } from 'node:crypto'
import { constants, zstdCompressSync } from 'node:zlib'
import type { Lease } from '@freshet/adapters/kafka/consumer.ts'
import { ensureBucket } from '@freshet/adapters/s3/s3-bucket.ts'
import { loadSettings } from '@freshet/config/load.ts'
import type { ScoreBatch } from '@freshet/records/score-batch.ts'
import { rowsOfBatch } from '@freshet/records/stored-rows.ts'
import { writeDeltas } from '@freshet/scorer/snapshot/flush.ts'
import { putFile } from '@freshet/scorer/snapshot/put-file.ts'
import { SnapshotMembership } from '@freshet/scorer/snapshot/snapshot-membership.ts'
import type { SnapshotParts } from '@freshet/scorer/snapshot/snapshot-parts.ts'
import { objectKey, readManifest } from '@freshet/snapshot/manifest.ts'
import { encodePage } from '@freshet/snapshot/parquet/columns.ts'
import { type Cost, costOf } from './cost.ts'
import type { Bench, Figure, Sample } from './figure.ts'
import { numbersFrom, scoresOf } from './snapshot-rows.ts'
import { emptyStore, openSnapshotParts } from './snapshot-world.ts'

const ROWS = 1_000_000
const BATCH_ROWS = 2_000
const PAGE_ROWS = 4_096
const DEADLINE_MS = 120_000

/**
 * Batches that are held, sorted each by itself as they came, become one delta in S3 that the manifest names.
 * Baselines, the two parts of it: the same columns, that lie ready, through zstd; and the same bytes put.
 */
export const snapshotDelta: Figure = {
  name: 'snapshot-delta',
  unit: 'rows/s',
  title: `${ROWS.toLocaleString('en')} rows in ${ROWS / BATCH_ROWS} batches written as one delta; baselines: zstd of ready columns, put of ready bytes`,
  /** A million in 3 s. */
  targets: [{ of: 'value', atLeast: 333_000 }],
  async open(): Promise<Bench> {
    const prefix = `bench-${randomBytes(5).toString('hex')}`
    const env = { ...process.env, FRESHET_PIPELINE: prefix, FRESHET_S3_PREFIX: prefix }
    await ensureBucket(loadSettings({ env }).s3)
    await using opened = new AsyncDisposableStack()
    const parts = opened.use(await openSnapshotParts(env))
    opened.defer(() => emptyStore(parts.store))
    const batches = shuffledBatches()
    const columns = readyColumns()
    let file: Uint8Array = new Uint8Array()
    const keep = opened.move()
    return {
      async ours() {
        const { sample, bytes } = await writeDelta(parts, batches)
        file = bytes
        return sample
      },
      baselines: {
        zstd: async () => sampleOf(await costOf(async () => compress(columns))),
        put: async () => {
          if (file.length === 0) file = (await writeDelta(parts, batches)).bytes
          return sampleOf(await costOf(() => putAgain(parts, file)))
        },
      },
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}

async function writeDelta(
  parts: SnapshotParts,
  batches: readonly ScoreBatch[],
): Promise<{ sample: Sample; bytes: Uint8Array }> {
  const signal = AbortSignal.timeout(DEADLINE_MS)
  const before = (await readManifest(parts.store, parts.pipeline))?.manifest
  const membership = new SnapshotMembership([0], before, parts)
  const from = membership.held.starts().get(0)!
  const lease: Lease = {
    signal,
    start: { nextOffset: from, note: '' },
    check() {},
    heartbeat: async () => {},
    commit: async () => {},
    rest: () => () => {},
  }
  const sorting = await costOf(async () => {
    for (const [i, batch] of batches.entries()) membership.held.add(0, from + i, batch, lease)
  })
  const cost = await costOf(() => writeDeltas(membership.own, membership.take(), parts, signal))
  const file = (await readManifest(parts.store, parts.pipeline))!.manifest.partitions[0]!.deltas.at(-1)!
  const { body } = await parts.store.get(objectKey(file.object))
  const also = {
    seconds: cost.seconds,
    sortSeconds: sorting.seconds,
    mibInFile: body.length / 2 ** 20,
  }
  return { sample: { ...sampleOf(cost), also }, bytes: body }
}

/** As they come from Kafka: each batch has keys from everywhere. */
function shuffledBatches(): ScoreBatch[] {
  const batches = ROWS / BATCH_ROWS
  return Array.from({ length: batches }, (_, i) => scoresOf(numbersFrom(i, BATCH_ROWS, batches), 1))
}

function readyColumns(): readonly Uint8Array[] {
  const columns: Uint8Array[] = []
  for (let from = 0; from < ROWS; from += PAGE_ROWS) {
    const page = scoresOf(numbersFrom(from, Math.min(PAGE_ROWS, ROWS - from)), 1)
    columns.push(...encodePage(rowsOfBatch(page)).map(({ plain }) => plain))
  }
  return columns
}

function compress(columns: readonly Uint8Array[]): void {
  const params = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 }
  for (const column of columns) zstdCompressSync(column, { params })
}

async function putAgain(parts: SnapshotParts, bytes: Uint8Array): Promise<void> {
  const write = async (out: (some: Uint8Array) => Promise<void>) => {
    await out(bytes)
    return { rows: ROWS, bytes: bytes.length, newestAsOfMs: 0 }
  }
  await putFile(parts, 'bare', write, AbortSignal.timeout(DEADLINE_MS))
}

function sampleOf({ seconds, cpuMicros }: Cost): Sample {
  return { value: ROWS / seconds, cpuMicrosPerRow: cpuMicros / ROWS }
}
