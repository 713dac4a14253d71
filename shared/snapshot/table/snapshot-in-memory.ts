import { isFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { Manifest, ManifestPartition } from '@freshet/records/manifest.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'
import { filesOf } from '../manifest.ts'
import type { SnapshotHolder } from '../snapshot-holder.ts'
import type { ReadingProgram } from '../thread/reading-thread.ts'
import { FileLoader } from './file-loader.ts'
import { SnapshotTable } from './snapshot-table.ts'

export interface InMemoryParts {
  /** Deletes scored longer ago are let go of, as bases let go of them. */
  readonly tombstoneTtlMs: number
  /** Reads the store in a thread. */
  readonly program?: ReadingProgram | undefined
}

/**
 * The whole snapshot in one table: first all files of the manifest, then each new delta. A base that holds only what was
 * loaded before is not read again. Rows win by rank, so the order of files does not matter.
 */
export class SnapshotInMemory implements SnapshotHolder {
  readonly table = new SnapshotTable({ memory: 'kept' })
  readonly #store: ObjectStore
  readonly #parts: InMemoryParts
  /** Files whose rows are in the table, as far as a manifest still names them. */
  #loaded = new Set<string>()
  #tidied = 0

  constructor(store: ObjectStore, parts: InMemoryParts) {
    this.#store = store
    this.#parts = parts
  }

  get(key: string): StoredScore | undefined {
    return this.table.get(key)
  }

  get keys(): number {
    return this.table.size
  }

  get bytes(): number {
    return this.table.bytes
  }

  async take({ partitions }: Manifest, signal: AbortSignal): Promise<number> {
    await using loader = new FileLoader(this.#store, this.#parts.program, signal)
    let rows = 0
    const failures: unknown[] = []
    for (const partition of Object.values(partitions))
      for (const file of filesOf(partition))
        try {
          if (!isLoaded(file.object, partition, this.#loaded)) rows += await loader.load(file, this.table)
          this.#loaded.add(file.object)
        } catch (error) {
          if (signal.aborted || isFreshetError(error, 'S3_UNREACHABLE')) throw error
          failures.push(error)
        }
    const named = Object.values(partitions).flatMap((partition) => [
      ...filesOf(partition).map(({ object }) => object),
      ...partition.retired.map(({ object }) => object),
    ])
    this.#loaded = new Set(named.filter((object) => this.#loaded.has(object)))
    if (failures.length > 0) throw failures[0]
    return rows
  }

  /** Few deletes are kept: as long as the bucket has them, they say more than nothing. */
  tidy(nowMs: number): void {
    if (this.table.deleted < Math.max(KEPT_DELETES, this.table.size / 8)) return
    this.#tidied = this.table.forgetDeleted(nowMs - this.#parts.tombstoneTtlMs, this.#tidied, TIDY_ENTRIES)
  }
}

const KEPT_DELETES = 100_000
/** 10 million keys are gone through in a quarter of an hour, with a look every five seconds. */
const TIDY_ENTRIES = 50_000

/** A base brings nothing new when everything that was merged into it is in the table, directly or through a base. */
function isLoaded(object: string, partition: ManifestPartition, loaded: ReadonlySet<string>): boolean {
  if (loaded.has(object)) return true
  const merged = partition.retired.filter(({ into }) => into === object)
  return merged.length > 0 && merged.every((file) => isLoaded(file.object, partition, loaded))
}
