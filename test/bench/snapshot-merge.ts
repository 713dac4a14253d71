import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { ensureBucket } from '@freshet/adapters/s3/s3-object-store.ts'
import { NODE_FLAGS } from '@freshet/cli/node-flags.ts'
import { loadSettings } from '@freshet/config/load.ts'
import {
  MANIFEST_OBJECT,
  type Manifest,
  manifestRecord,
  type SnapshotFile,
} from '@freshet/records/manifest.ts'
import { rowsOfBatch, type StoredRows } from '@freshet/records/stored-rows.ts'
import type { FlushParts } from '@freshet/scorer/snapshot/flush.ts'
import { putFile } from '@freshet/scorer/snapshot/put-file.ts'
import { objectKey } from '@freshet/snapshot/manifest.ts'
import { writeMerged } from '@freshet/snapshot/write-merged.ts'
import type { Bench, Figure, Sample } from './figure.ts'
import { KEYS } from './key-count.ts'
import type { MergeReport } from './merge-process.ts'
import { numbersFrom, scoresOf } from './snapshot-rows.ts'
import { emptyStore, openSnapshotParts } from './snapshot-world.ts'

const DELTAS = 3
/** A tenth of them are new keys. */
const DELTA_ROWS = Math.max(10, Math.floor(KEYS / 100))
const PAGE_ROWS = 4_096
const DEADLINE_MS = 900_000
const PROGRAM = fileURLToPath(new URL('./merge-process.ts', import.meta.url))

/** The worker's own merge, with the flags that services run with, in a process that does nothing else. */
export const snapshotMerge: Figure = {
  name: 'snapshot-merge',
  unit: 'MiB',
  title: `the most that a process holds that merges a base of ${KEYS.toLocaleString('en')} rows with ${DELTAS} deltas of ${DELTA_ROWS.toLocaleString('en')}`,
  target: '< 512 MiB',
  rounds: 3,
  async open(): Promise<Bench> {
    const prefix = `bench-${randomBytes(5).toString('hex')}`
    const env = { ...process.env, FRESHET_PIPELINE: prefix, FRESHET_S3_PREFIX: prefix }
    await ensureBucket(loadSettings({ env }).s3)
    await using opened = new AsyncDisposableStack()
    const parts = opened.use(await openSnapshotParts(env))
    opened.defer(() => emptyStore(parts.store))
    const manifest = await putSnapshot(parts)
    const keep = opened.move()
    return {
      async ours() {
        await parts.store.put(MANIFEST_OBJECT, Buffer.from(manifestRecord.encode(manifest)))
        return sampleOf(await mergeInProcess(env))
      },
      baselines: {},
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}

async function putSnapshot(parts: FlushParts): Promise<Manifest> {
  const base = await putSorted(parts, '0/base-0-0-a0.parquet', 0, KEYS, 1)
  const deltas: SnapshotFile[] = []
  for (let i = 1; i <= DELTAS; i++) {
    const step = Math.floor((KEYS * 1.1) / DELTA_ROWS)
    deltas.push(await putSorted(parts, `0/delta-${i}-${i}-a${i}.parquet`, i, DELTA_ROWS, step, i + 1))
  }
  return {
    version: 1,
    pipeline: parts.pipeline,
    sequence: 1,
    writtenAtMs: Date.now(),
    writtenBy: { instance: 'bench', attempt: 'a0' },
    partitions: { 0: { nextOffset: DELTAS + 1, base, deltas, retired: [] } },
  }
}

async function putSorted(
  parts: FlushParts,
  object: string,
  from: number,
  count: number,
  step: number,
  seqNo = 1,
): Promise<SnapshotFile> {
  const signal = AbortSignal.timeout(DEADLINE_MS)
  const { schema } = rowsOfBatch(scoresOf([0], 1))
  const pages = pagesOf(from, count, step, seqNo)
  const write: Parameters<typeof putFile>[2] = (out) => writeMerged([{ schema, pages }], out, { signal })
  return { object, ...(await putFile(parts, objectKey(object), write, signal)) }
}

function* pagesOf(from: number, count: number, step: number, seqNo: number): Generator<StoredRows> {
  for (let at = 0; at < count; at += PAGE_ROWS)
    yield rowsOfBatch(scoresOf(numbersFrom(from + at * step, Math.min(PAGE_ROWS, count - at), step), seqNo))
}

async function mergeInProcess(env: NodeJS.ProcessEnv): Promise<MergeReport> {
  const child = fork(PROGRAM, {
    execArgv: [...NODE_FLAGS],
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const exit = once(child, 'exit')
  const told = await Promise.race([
    once(child, 'message', { signal: AbortSignal.timeout(DEADLINE_MS) }),
    exit.then(() => {
      throw new Error('the merge has ended without a word')
    }),
  ])
  await exit
  return told[0] as MergeReport
}

function sampleOf({ peakMiB, seconds, cpuMicros, rows, bytes }: MergeReport): Sample {
  return {
    value: peakMiB,
    cpuMicrosPerRow: cpuMicros / rows,
    also: { seconds, rows, mibInFile: bytes / 2 ** 20 },
  }
}
