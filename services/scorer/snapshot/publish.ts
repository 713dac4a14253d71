import { randomBytes } from 'node:crypto'
import type { ManifestPartition, SnapshotFile } from '@freshet/records/manifest.ts'
import { writeLatest } from '@freshet/snapshot/latest.ts'
import { objectKey } from '@freshet/snapshot/manifest.ts'
import type { Committer } from '@freshet/snapshot/manifest-commit.ts'
import type { FileFacts } from '@freshet/snapshot/parquet/write.ts'
import type { FileOut } from '@freshet/snapshot/write-merged.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { withGrace } from '@freshet/stage/grace.ts'
import { inSpan } from '@freshet/telemetry/spans.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { type FileName, fileName } from './file-names.ts'
import type { Committed, OwnPartitions } from './own-partitions.ts'
import { type FilePutter, putFile } from './put-file.ts'

export type Publisher = Committer & FilePutter & { readonly telemetry: Pick<Telemetry, 'tracer'> }

/** A delta or base that is to be written, and how its partition looks with it. */
export interface NewFile {
  readonly name: FileName
  write(out: FileOut, signal: AbortSignal): Promise<FileFacts>
  /** @param file null: there were no rows, so there is no file. @param now the partition when it is committed */
  next(file: SnapshotFile | null, now: Committed, nowMs: number): ManifestPartition
}

/**
 * Puts the files, a few at a time, then the manifest that names them, then what people read: a crash in between leaves the
 * old snapshot and orphans. While the store is away it tries again.
 * @param signals `write`: no file is begun or gone on with after it; `commit`: ends the whole, but for what people read:
 *   when the commit is done, that is given a moment more
 * @throws MANIFEST_FENCED, DEADLINE; errors a retry cannot help
 */
export async function publish(
  publisher: Publisher,
  own: OwnPartitions,
  files: readonly NewFile[],
  signals: { readonly write: AbortSignal; readonly commit: AbortSignal },
): Promise<void> {
  const { store, pipeline, clock, log } = publisher
  const attempt = randomBytes(6).toString('hex')
  const beganAtMs = clock.nowMs()
  const changes = new Map<number, (now: Committed) => ManifestPartition>()
  await aFewAtOnce(files, signals.write, async (file, signal) => {
    const object = fileName(file.name, attempt)
    const facts = await putFile(publisher, objectKey(object), file.write, signal)
    const put = facts.rows === 0 ? null : { object, ...facts }
    changes.set(file.name.partition, (now) => file.next(put, now, clock.nowMs()))
  })
  const shape = { name: 'commit snapshot', attributes: { [ATTRIBUTES.stage]: 'snapshot' } }
  await inSpan(publisher.telemetry.tracer, shape, () =>
    own.commit(publisher, changes, { attempt, beganAtMs }, signals.commit),
  )
  using grace = withGrace(signals.commit, LATEST_GRACE_MS)
  await writeLatest(store, pipeline, grace.signal).catch((error: unknown) =>
    log.error('the file for people who want one name is behind until the next commit', error),
  )
}

/** Anybody may write it at any time, so it does no harm after the end of a membership. */
const LATEST_GRACE_MS = 1_000

/** So many deltas are on their way at once: S3 takes tens of milliseconds for each, whatever its size. */
const AT_ONCE = 4

/** @throws the first error, after the others have been given up and have ended */
async function aFewAtOnce<T>(
  all: readonly T[],
  signal: AbortSignal,
  work: (one: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController()
  const during = AbortSignal.any([signal, failed.signal])
  const left = all.values()
  const errors: unknown[] = []
  const workThrough = async () => {
    try {
      for (const one of left) await work(one, during)
    } catch (error) {
      errors.push(error)
      failed.abort()
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, workThrough))
  if (errors.length > 0) throw errors[0]
}
