import { isFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { Manifest, SnapshotFile } from '@freshet/records/manifest.ts'
import { filesOf, objectKey } from '@freshet/snapshot/manifest.ts'
import { openSnapshotFile } from '@freshet/snapshot/parquet/read.ts'

/** A file that the manifest names and that cannot be read to its end. */
export interface BadFile {
  readonly partition: number
  readonly object: string
  /** That are lost with it, as far as no other file has their keys. */
  readonly rows: number
  readonly code: string
  readonly message: string
}

/**
 * Reads every file of a snapshot from its first page to its last; each page has a checksum.
 * @param onFile is told before each
 * @throws what the store throws when it is away, or `signal` aborts
 */
export async function checkFiles(
  store: ObjectStore,
  { partitions }: Manifest,
  onFile: (file: SnapshotFile) => void,
  signal: AbortSignal,
): Promise<BadFile[]> {
  const bad: BadFile[] = []
  for (const [partition, files] of Object.entries(partitions))
    for (const file of filesOf(files)) {
      onFile(file)
      const problem = await problemOf(store, file, signal)
      if (problem === undefined) continue
      bad.push({ partition: Number(partition), object: file.object, rows: file.rows, ...problem })
    }
  return bad
}

async function problemOf(
  store: ObjectStore,
  { object, bytes, rows }: SnapshotFile,
  signal: AbortSignal,
): Promise<Pick<BadFile, 'code' | 'message'> | undefined> {
  try {
    let found = 0
    const { pages } = await openSnapshotFile(store, { key: objectKey(object), bytes }, { signal })
    for await (const page of pages) found += page.count
    if (found === rows) return undefined
    return { code: 'SNAPSHOT_CORRUPT', message: `it has ${found} rows, the manifest says ${rows}` }
  } catch (error) {
    if (signal.aborted || !isFreshetError(error) || !DAMAGE.has(error.code)) throw error
    return { code: error.code, message: error.message }
  }
}

const DAMAGE = new Set(['SNAPSHOT_FILE_MISSING', 'SNAPSHOT_CORRUPT'])
