import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { ensureBucket } from '@freshet/adapters/s3/s3-bucket.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { readingFromS3 } from '@freshet/gateway/snapshot/reading-from-s3.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import {
  MANIFEST_OBJECT,
  type Manifest,
  manifestRecord,
  type SnapshotFile,
} from '@freshet/records/manifest.ts'
import { rowsOfBatch } from '@freshet/records/stored-rows.ts'
import { SnapshotFollower } from '@freshet/snapshot/follow.ts'
import { objectKey } from '@freshet/snapshot/manifest.ts'
import { PAGE_ROWS, SnapshotWriter } from '@freshet/snapshot/parquet/write.ts'
import { sharedPatience } from '@freshet/snapshot/prompt-reads.ts'
import { SnapshotInMemory } from '@freshet/snapshot/table/snapshot-in-memory.ts'
import type { ReadingProgram } from '@freshet/snapshot/thread/reading-thread.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { startBare } from './bare-process.ts'
import type { BareLoad } from './bare-snapshot.ts'
import { costOf } from './cost.ts'
import type { Bench, Figure, Sample } from './figure.ts'
import { LoopDelays } from './loop-delay.ts'
import { SCORE, scoresOf } from './snapshot-rows.ts'
import { emptyStore, openSnapshotParts } from './snapshot-world.ts'

const BASE_ROWS = 3_000_000
const DELTA_BYTES = 100e6
const DEADLINE_MS = 120_000

/**
 * The path of the gateway's snapshot in memory: from a manifest in S3 to rows in the table, for a base and then for a delta
 * of 100 MB over the same keys and new ones. What its event loop stood still for is beside that of an idle process at the
 * same time. Baseline: bare-snapshot.ts, in a process of its own, which starts anew each time.
 */
export const snapshotFollow: Figure = {
  name: 'snapshot-follow',
  unit: 'rows/s',
  title: `a base of ${BASE_ROWS.toLocaleString('en')} rows and a delta of ${DELTA_BYTES / 1e6} MB loaded into memory from S3; baseline: hyparquet and a Map`,
  targets: [
    { of: 'baseOwnLongestMs', atMost: 5 },
    { of: 'deltaOwnLongestMs', atMost: 5 },
    { of: 'bytesPerKey', atMost: 56 },
  ],
  rounds: 3,
  async open(): Promise<Bench> {
    const prefix = `bench-${randomBytes(5).toString('hex')}`
    const env = { ...process.env, FRESHET_PIPELINE: prefix, FRESHET_S3_PREFIX: prefix }
    const { s3 } = loadSettings({ env })
    await ensureBucket(s3)
    await using opened = new AsyncDisposableStack()
    const { store, pipeline } = opened.use(await openSnapshotParts(env))
    opened.defer(() => emptyStore(store))
    const base = await putFile(store, 'base', (rows) => rows < BASE_ROWS, 1)
    const delta = await putFile(store, 'delta', (_, bytes) => bytes < DELTA_BYTES, 2)
    const delays = opened.use(await LoopDelays.start())
    const keep = opened.move()
    return {
      ours: () =>
        load({ store, pipeline, program: readingFromS3(s3, sharedPatience()), delays }, base, delta),
      baselines: { map: () => loadBare(prefix, [base, delta]) },
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}

interface World {
  readonly store: ObjectStore
  readonly pipeline: string
  readonly program: ReadingProgram
  readonly delays: LoopDelays
}

async function load(
  { store, pipeline, program, delays }: World,
  base: SnapshotFile,
  delta: SnapshotFile,
): Promise<Sample> {
  const holder = new SnapshotInMemory(store, { tombstoneTtlMs: Number.MAX_SAFE_INTEGER, program })
  const parts = { store, pipeline, holder, everyMs: 100, clock: systemClock, log: quietLog }
  const follower = new SnapshotFollower(parts)
  const stop = new AbortController()
  await publish(store, pipeline, 1, { base, deltas: [] })
  const until = async (sequence: number) => {
    const deadline = AbortSignal.timeout(DEADLINE_MS)
    while (follower.status.sequence < sequence) {
      deadline.throwIfAborted()
      await systemClock.sleep(5)
    }
  }
  let running = Promise.resolve()
  const first = await measured(delays, async () => {
    running = follower.run(stop.signal)
    await until(1)
  })
  await publish(store, pipeline, 2, { base, deltas: [delta] })
  const second = await measured(delays, () => until(2))
  stop.abort()
  await running
  const rows = base.rows + delta.rows
  return {
    value: rows / (first.cost.seconds + second.cost.seconds),
    cpuMicrosPerRow: (first.cost.cpuMicros + second.cost.cpuMicros) / rows,
    also: {
      bytesPerKey: holder.bytes / holder.keys,
      longestMs: Math.max(first.here.longestMs, second.here.longestMs),
      p999Ms: Math.max(first.here.p999Ms, second.here.p999Ms),
      controlLongestMs: Math.max(first.control.longestMs, second.control.longestMs),
      controlP999Ms: Math.max(first.control.p999Ms, second.control.p999Ms),
      ownAndWaitingOver5Ms: first.ownAndWaiting.over5Ms + second.ownAndWaiting.over5Ms,
    },
    most: {
      baseOwnLongestMs: first.own.longestMs,
      baseOwnOver5Ms: first.own.over5Ms,
      baseOwnAndWaitingLongestMs: first.ownAndWaiting.longestMs,
      deltaOwnLongestMs: second.own.longestMs,
      deltaOwnOver5Ms: second.own.over5Ms,
      deltaOwnAndWaitingLongestMs: second.ownAndWaiting.longestMs,
    },
  }
}

async function loadBare(prefix: string, files: readonly SnapshotFile[]): Promise<Sample> {
  const objects = files.map(({ object }) => objectKey(object))
  const program = new URL('./bare-snapshot.ts', import.meta.url)
  await using bare = await startBare<BareLoad>(program, [prefix, SCORE, ...objects])
  const { rows, seconds, cpuMicros } = bare.told
  return { value: rows / seconds, cpuMicrosPerRow: cpuMicros / rows }
}

async function measured(delays: LoopDelays, work: () => Promise<void>) {
  let cost: Awaited<ReturnType<typeof costOf>> | undefined
  const both = await delays.during(async () => {
    cost = await costOf(work)
  })
  return { ...both, cost: cost! }
}

async function publish(
  store: ObjectStore,
  pipeline: string,
  sequence: number,
  files: Pick<Manifest['partitions'][string], 'base' | 'deltas'>,
): Promise<void> {
  const manifest: Manifest = {
    version: 1,
    pipeline,
    sequence,
    writtenAtMs: Date.now(),
    writtenBy: { instance: 'bench', attempt: `${sequence}` },
    partitions: { 0: { nextOffset: 1, retired: [], ...files } },
  }
  await store.put(MANIFEST_OBJECT, Buffer.from(manifestRecord.encode(manifest)))
}

/** Rows whose scores do not compress. */
async function putFile(
  store: ObjectStore,
  object: string,
  isWanted: (rows: number, bytes: number) => boolean,
  seqNo: number,
): Promise<SnapshotFile> {
  const writer = new SnapshotWriter(rowsOfBatch(scoresOf([0], 1)).schema)
  const pieces: Uint8Array[] = []
  let bytes = 0
  let rows = 0
  for (; isWanted(rows, bytes); rows += PAGE_ROWS) {
    const numbers = Array.from({ length: PAGE_ROWS }, (_, i) => rows + i)
    const page = rowsOfBatch(scoresOf(numbers, seqNo))
    for (let row = 0; row < PAGE_ROWS; row++) page.outputs[0]![row] = Math.random()
    writer.add(page)
    const piece = writer.take()
    pieces.push(piece)
    bytes += piece.length
  }
  const facts = writer.finish()
  await store.put(objectKey(object), Buffer.concat([...pieces, writer.take()]))
  return { object, ...facts }
}
