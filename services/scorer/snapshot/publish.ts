import { randomBytes } from 'node:crypto'
import type { FreshetError } from '@freshet/errors/errors.ts'
import type { ManifestPartition, SnapshotFile } from '@freshet/records/manifest.ts'
import { objectKey } from '@freshet/snapshot/manifest.ts'
import type { WrittenFile } from '@freshet/snapshot/parquet/write.ts'
import { retry } from '@freshet/stage/back-off.ts'
import type { Log } from '@freshet/stage/log.ts'
import { type Committer, commitManifest, type PartitionChange } from './manifest-commit.ts'

export interface Publisher extends Committer {
  readonly log: Log
}

/** A delta or base that is to be written, and how its partition looks with it. */
export interface NewFile {
  readonly partition: number
  /** E.g. `delta-100-199`: the offsets of `.scores` that are in it. */
  readonly name: string
  /** As the manifest has the partition now. */
  readonly expected: ManifestPartition | undefined
  write(signal: AbortSignal): Promise<WrittenFile>
  /** @param file null: there were no rows, so there is no file. */
  next(file: SnapshotFile | null): ManifestPartition
}

/**
 * Puts the files, one at a time, and then the manifest that names them: a crash in between leaves the old snapshot and
 * an orphan. While the store is away it tries again, until `signal` aborts.
 * @returns the partitions as the manifest has them now. @throws MANIFEST_FENCED, DEADLINE; errors a retry cannot help
 */
export async function publish(
  publisher: Publisher,
  files: readonly NewFile[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, ManifestPartition>> {
  const attempt = randomBytes(6).toString('hex')
  const beganAtMs = publisher.clock.nowMs()
  const changes = new Map<number, PartitionChange>()
  for (const { partition, name, expected, write, next } of files) {
    const written = await patiently(publisher, signal, () => write(signal))
    const object = `${partition}/${name}-${attempt}.parquet`
    if (written.rows > 0)
      await patiently(publisher, signal, () =>
        publisher.store.put(objectKey(object), written.bytes, undefined, signal),
      )
    const { rows, newestAsOfMs, bytes } = written
    changes.set(partition, {
      expected,
      next: next(rows === 0 ? null : { object, rows, bytes: bytes.length, newestAsOfMs }),
    })
  }
  await patiently(publisher, signal, () => commitManifest(publisher, { changes, attempt, beganAtMs }, signal))
  return new Map([...changes].map(([partition, change]) => [partition, change.next]))
}

const BACK_OFF = { firstMs: 200, maxMs: 10_000 }

function patiently<T>({ clock, log }: Publisher, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return retry(work, {
    backOff: BACK_OFF,
    clock,
    signal,
    when: passes,
    onError: (error) => log.error('the snapshot cannot be written yet', error),
  })
}

/** A fence stays: what we hold is another's now. */
function passes(error: FreshetError): boolean {
  return error.retryable && error.code !== 'MANIFEST_FENCED' && error.code !== 'DEADLINE'
}
