import { isDeepStrictEqual } from 'node:util'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import {
  MANIFEST_OBJECT,
  type Manifest,
  type ManifestPartition,
  manifestRecord,
} from '@freshet/records/manifest.ts'
import { delayMs } from '@freshet/stage/back-off.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { readManifest } from './manifest.ts'
import { ORPHAN_AGE_MS } from './retention.ts'

/** Who commits, and where. */
export interface Committer {
  readonly store: ObjectStore
  readonly pipeline: string
  readonly instance: string
  readonly clock: Clock
}

/** Files that were put, and what becomes of their partitions when the manifest names them. All or nothing. */
export interface Commit {
  readonly changes: ReadonlyMap<number, PartitionChange>
  /** Part of the names of all new files, so no other commit leads to the same partitions. */
  readonly attempt: string
  /** Before the first file was put. */
  readonly beganAtMs: number
}

export interface PartitionChange {
  /** As we last saw it; undefined: the manifest does not know the partition yet. */
  readonly expected: ManifestPartition | undefined
  readonly next: ManifestPartition
}

/**
 * Replaces the manifest by one that names the new files. Writers of other partitions do not disturb: theirs is read and
 * ours put in again. Doing the same commit twice is safe: when it turns out that it has won before (a time-out hid it),
 * that is all.
 * @throws MANIFEST_FENCED when a partition is not as expected: someone else writes it. OBJECT_CHANGED when others were
 * faster again and again; CONFIG_INVALID when the snapshot is another pipeline's; and what the store throws. After all but
 * MANIFEST_FENCED the same commit may be tried again.
 */
export async function commitManifest(
  committer: Committer,
  commit: Commit,
  signal: AbortSignal,
): Promise<Manifest> {
  const { clock, store, pipeline } = committer
  for (let failures = 0; ; failures++) {
    const current = await readManifest(store, pipeline, signal)
    if (current !== undefined && holds(current.manifest, commit)) return current.manifest
    const next = nextManifest(current?.manifest, commit, committer)
    try {
      const condition = current === undefined ? 'absent' : { ifMatch: current.etag }
      await store.put(MANIFEST_OBJECT, Buffer.from(manifestRecord.encode(next)), condition, signal)
      return next
    } catch (error) {
      if (!isFreshetError(error, 'OBJECT_CHANGED') || failures === MAX_COMMIT_FAILURES) throw error
      await clock.sleep(delayMs(COMMIT_BACK_OFF, failures, Math.random), signal)
    }
  }
}

export const MAX_COMMIT_FAILURES = 20
export const COMMIT_BACK_OFF = { firstMs: 10, maxMs: 1_000 }

/** Names of files are unique, so a partition that is as we wanted it is so by our own hand. */
function holds(manifest: Manifest, { changes }: Commit): boolean {
  return [...changes].every(([partition, { next }]) =>
    isDeepStrictEqual(manifest.partitions[partition], next),
  )
}

function nextManifest(
  current: Manifest | undefined,
  { changes, attempt, beganAtMs }: Commit,
  { pipeline, instance, clock }: Committer,
): Manifest {
  for (const [partition, { expected }] of changes) checkExpected(partition, current, expected)
  const nowMs = clock.nowMs()
  // A process that slept so long may hold files that were collected as orphans.
  if (nowMs - beganAtMs > ORPHAN_AGE_MS / 2)
    throw new FreshetError('MANIFEST_FENCED', `the files were put ${nowMs - beganAtMs} ms ago`)
  const next = [...changes].map(([partition, change]) => [`${partition}`, change.next])
  return {
    version: 1,
    pipeline,
    sequence: (current?.sequence ?? 0) + 1,
    writtenAtMs: nowMs,
    writtenBy: { instance, attempt },
    partitions: { ...current?.partitions, ...Object.fromEntries(next) },
  }
}

function checkExpected(
  partition: number,
  current: Manifest | undefined,
  expected: ManifestPartition | undefined,
): void {
  const found = current?.partitions[partition]
  if (isDeepStrictEqual(found, expected)) return
  const writer = current === undefined ? '' : `; the last writer was ${current.writtenBy.instance}`
  throw new FreshetError(
    'MANIFEST_FENCED',
    `partition ${partition}: ${difference(current, found, expected)}${writer}`,
  )
}

function difference(current: Manifest | undefined, found: Known, expected: Known): string {
  if (current === undefined) return 'the manifest is gone'
  if (found === undefined) return 'the manifest does not know it any more'
  if (expected === undefined) return `it is at offset ${found.nextOffset}, and was not known before`
  if (found.nextOffset !== expected.nextOffset)
    return `it is at offset ${found.nextOffset}, not at offset ${expected.nextOffset}`
  return `it is at offset ${found.nextOffset} as before, but its files are others`
}

/** undefined: the manifest does not know the partition. */
type Known = ManifestPartition | undefined
