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
import { filesOf, objectKey } from '@freshet/snapshot/manifest.ts'
import { startBare } from './bare-process.ts'
import type { Bench, Figure, Sample } from './figure.ts'
import { KEYS } from './key-count.ts'
import type { MergeReport } from './merge-process.ts'
import { manifestOf, putSorted } from './put-snapshot.ts'
import { SCORE } from './snapshot-rows.ts'
import { emptyStore, openSnapshotParts } from './snapshot-world.ts'

const DELTAS = 3
/** What the baseline merges of it: it has all rows in memory, and ten million of them are more than its heap may take. */
const BARE_SHARE = 0.1
const DEADLINE_MS = 900_000
const PROGRAM = fileURLToPath(new URL('./merge-process.ts', import.meta.url))

/**
 * The worker's own merge, with the flags that services run with, in a process that does nothing else.
 * Baseline: bare-merge.ts, and a tenth of the rows.
 */
export const snapshotMerge: Figure = {
  name: 'snapshot-merge',
  unit: 'MiB',
  title: `the most that a process holds that merges a base of ${KEYS.toLocaleString('en')} rows with ${DELTAS} deltas of ${deltaRowsOf(KEYS).toLocaleString('en')}; baseline: hyparquet and a Map, and a tenth of the rows`,
  targets: [{ of: 'value', atMost: 512 }],
  rounds: 3,
  async open(): Promise<Bench> {
    const prefix = `bench-${randomBytes(5).toString('hex')}`
    const env = envOf(prefix)
    await ensureBucket(loadSettings({ env }).s3)
    await using opened = new AsyncDisposableStack()
    const open = async (of: NodeJS.ProcessEnv) => {
      const parts = opened.use(await openSnapshotParts(of))
      opened.defer(() => emptyStore(parts.store))
      return parts
    }
    const parts = await open(env)
    const manifest = await putWithDeltas(parts, KEYS)
    const barePrefix = `${prefix}-bare`
    const bare = await putWithDeltas(await open(envOf(barePrefix)), Math.floor(KEYS * BARE_SHARE))
    const keep = opened.move()
    return {
      async ours() {
        await parts.store.put(MANIFEST_OBJECT, Buffer.from(manifestRecord.encode(manifest)))
        return sampleOf(await mergeInProcess(env))
      },
      baselines: { map: () => mergeBare(barePrefix, bare) },
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}

function envOf(prefix: string): NodeJS.ProcessEnv {
  return { ...process.env, FRESHET_PIPELINE: prefix, FRESHET_S3_PREFIX: prefix }
}

/** A tenth of them are new keys. */
function deltaRowsOf(keys: number): number {
  return Math.max(10, Math.floor(keys / 100))
}

async function putWithDeltas(parts: SnapshotParts, keys: number): Promise<Manifest> {
  const base = await putSorted(parts, '0/base-0-0-a0.parquet', { count: keys })
  const deltas: SnapshotFile[] = []
  const count = deltaRowsOf(keys)
  for (let i = 1; i <= DELTAS; i++) {
    const rows = { from: i, count, step: Math.floor((keys * 1.1) / count), seqNo: i + 1 }
    deltas.push(await putSorted(parts, `0/delta-${i}-${i}-a${i}.parquet`, rows))
  }
  return manifestOf(parts, base, deltas)
}

async function mergeBare(prefix: string, { partitions }: Manifest): Promise<Sample> {
  const objects = Object.values(partitions).flatMap(filesOf)
  const args = [prefix, SCORE, ...objects.map(({ object }) => objectKey(object))]
  await using bare = await startBare<MergeReport>(new URL('./bare-merge.ts', import.meta.url), args)
  return sampleOf(bare.told)
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
