import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { ensureBucket } from '@freshet/adapters/s3/s3-bucket.ts'
import { NODE_FLAGS } from '@freshet/cli/node-flags.ts'
import { loadSettings } from '@freshet/config/load.ts'
import {
  MANIFEST_OBJECT,
  type Manifest,
  manifestRecord,
  type SnapshotFile,
} from '@freshet/records/manifest.ts'
import type { SnapshotParts } from '@freshet/scorer/snapshot/snapshot-parts.ts'
import type { Bench, Figure, Sample } from './figure.ts'
import { KEYS } from './key-count.ts'
import type { MergeReport } from './merge-process.ts'
import { manifestOf, putSorted } from './put-snapshot.ts'
import { emptyStore, openSnapshotParts } from './snapshot-world.ts'

const DELTAS = 3
/** A tenth of them are new keys. */
const DELTA_ROWS = Math.max(10, Math.floor(KEYS / 100))
const DEADLINE_MS = 900_000
const PROGRAM = fileURLToPath(new URL('./merge-process.ts', import.meta.url))

/** The worker's own merge, with the flags that services run with, in a process that does nothing else. */
export const snapshotMerge: Figure = {
  name: 'snapshot-merge',
  unit: 'MiB',
  title: `the most that a process holds that merges a base of ${KEYS.toLocaleString('en')} rows with ${DELTAS} deltas of ${DELTA_ROWS.toLocaleString('en')}`,
  targets: [{ of: 'value', atMost: 512 }],
  rounds: 3,
  async open(): Promise<Bench> {
    const prefix = `bench-${randomBytes(5).toString('hex')}`
    const env = { ...process.env, FRESHET_PIPELINE: prefix, FRESHET_S3_PREFIX: prefix }
    await ensureBucket(loadSettings({ env }).s3)
    await using opened = new AsyncDisposableStack()
    const parts = opened.use(await openSnapshotParts(env))
    opened.defer(() => emptyStore(parts.store))
    const manifest = await putWithDeltas(parts)
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

async function putWithDeltas(parts: SnapshotParts): Promise<Manifest> {
  const base = await putSorted(parts, '0/base-0-0-a0.parquet', { count: KEYS })
  const deltas: SnapshotFile[] = []
  for (let i = 1; i <= DELTAS; i++) {
    const step = Math.floor((KEYS * 1.1) / DELTA_ROWS)
    const rows = { from: i, count: DELTA_ROWS, step, seqNo: i + 1 }
    deltas.push(await putSorted(parts, `0/delta-${i}-${i}-a${i}.parquet`, rows))
  }
  return manifestOf(parts, base, deltas)
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
