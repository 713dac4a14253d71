import { Buffer } from 'node:buffer'
import { isFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { Manifest, SnapshotFile } from '@freshet/records/manifest.ts'
import { newer } from '@freshet/records/revision.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'
import type { Log } from '@freshet/stage/log.ts'
import { filesOf, objectKey } from '../manifest.ts'
import type { SnapshotHolder } from '../snapshot-holder.ts'
import { FileLoader } from '../table/file-loader.ts'
import { SnapshotTable } from '../table/snapshot-table.ts'
import type { ReadingProgram } from '../thread/reading-thread.ts'
import { FileIndex } from './file-index.ts'
import { findRow } from './find-row.ts'
import { openFileIndex } from './open-file-index.ts'
import type { RangeReads } from './range-reads.ts'
import { RowSize } from './row-size.ts'

export interface RangedParts {
  readonly store: ObjectStore
  /** Reads the store in a thread. */
  readonly program?: ReadingProgram | undefined
  readonly reads: RangeReads
  /** The smallest files, mostly the newest deltas, are held in tables as far as they fit. */
  readonly memoryBytes: number
  /** Whether documents have versions of their own. */
  readonly hasVersions: boolean
  /** Partitions of `.scores`, as far as is known, and which of them a key is in. */
  readonly partitions: number
  readonly partitionOf: (key: Buffer, partitions: number) => number
  readonly log: Log
}

/**
 * A snapshot that memory does not hold whole. Of small files it holds the rows, of large ones the page index (150 bytes for
 * 4,096 rows), through which a key is found in S3 in two round trips: all files of its partition side by side, and of all
 * that they and memory hold the highest rank.
 */
export class RangedSnapshot implements SnapshotHolder {
  readonly #parts: RangedParts
  readonly #rowSize: RowSize
  /** By object. */
  #files = new Map<string, HeldFile>()
  #byPartition = new Map<number, readonly HeldFile[]>()
  /** Whether keys lie in the partitions in which they are looked for. */
  #isNarrowed = false
  #isWarned = false

  constructor(parts: RangedParts) {
    this.#parts = parts
    this.#rowSize = new RowSize(parts.store, parts.hasVersions)
  }

  /** Rows in memory. */
  get keys(): number {
    return [...this.#files.values()].reduce(
      (sum, file) => sum + (file instanceof SnapshotTable ? file.size : 0),
      0,
    )
  }

  get bytes(): number {
    return [...this.#files.values()].reduce((sum, { bytes }) => sum + bytes, this.#parts.reads.keptBytes)
  }

  /** The highest rank of what is in memory. */
  get(key: string): StoredScore | undefined {
    let best: StoredScore | undefined
    for (const file of this.#filesFor(key))
      if (file instanceof SnapshotTable) best = higher(best, file.get(key))
    return best
  }

  /** Whether memory holds all files that may have the key. */
  holdsAllOf(key: string): boolean {
    return !this.#filesFor(key).some((file) => file instanceof FileIndex)
  }

  /** The highest rank of all files; of equal ones the older file's, wherever the files are held. @throws as findRow does */
  async find(key: string): Promise<StoredScore | undefined> {
    const bytes = Buffer.from(key)
    const find = (file: HeldFile) =>
      file instanceof FileIndex ? findRow(file, bytes, this.#parts.reads) : file.get(key)
    return (await Promise.all(this.#filesFor(key).map(find))).reduce(higher, undefined)
  }

  /** A partition is answered from its files of before until all its new ones are there. */
  async take(manifest: Manifest, signal: AbortSignal): Promise<number> {
    await using loader = new FileLoader(this.#parts.store, this.#parts.program, signal)
    const all = Object.entries(manifest.partitions)
    const wanted = inMemory(
      all.flatMap(([, partition]) => filesOf(partition)),
      Math.floor(this.#parts.memoryBytes / (await this.#rowSize.of(manifest, signal))),
    )
    const byPartition = new Map<number, readonly HeldFile[]>()
    const failures: unknown[] = []
    let rows = 0
    for (const [number, partition] of all) {
      const files = new Map<string, HeldFile>()
      try {
        for (const file of filesOf(partition)) {
          const before = this.#files.get(file.object)
          const isFit = before !== undefined && before instanceof SnapshotTable === wanted.has(file.object)
          if (!isFit && wanted.has(file.object)) rows += file.rows
          files.set(file.object, isFit ? before : await this.#hold(file, wanted, loader, signal))
        }
        byPartition.set(Number(number), [...files.values()])
      } catch (error) {
        if (signal.aborted || isFreshetError(error, 'S3_UNREACHABLE')) throw error
        failures.push(error)
        byPartition.set(Number(number), this.#byPartition.get(Number(number)) ?? [])
      }
      for (const [object, file] of files) this.#files.set(object, file)
    }
    this.#byPartition = byPartition
    this.#isNarrowed = this.#checkPartitions()
    // Those of a partition that waits for a damaged file are kept for the next look, too.
    const used = new Set([...byPartition.values()].flat())
    const named = new Set(all.flatMap(([, partition]) => filesOf(partition).map(({ object }) => object)))
    this.#files = new Map([...this.#files].filter(([object, file]) => used.has(file) || named.has(object)))
    if (failures.length > 0) throw failures[0]
    return rows
  }

  tidy(): void {}

  async #hold(
    file: SnapshotFile,
    wanted: ReadonlySet<string>,
    loader: FileLoader,
    signal: AbortSignal,
  ): Promise<HeldFile> {
    if (!wanted.has(file.object))
      return openFileIndex(this.#parts.store, { key: objectKey(file.object), bytes: file.bytes }, signal)
    const table = new SnapshotTable({ rows: file.rows })
    await loader.load(file, table)
    return table
  }

  #filesFor(key: string): readonly HeldFile[] {
    if (!this.#isNarrowed) return [...this.#byPartition.values()].flat()
    return this.#byPartition.get(this.#parts.partitionOf(Buffer.from(key), this.#parts.partitions)) ?? []
  }

  /** A wrong number of partitions would look in the wrong files, and find nothing: so keys in them are tried. */
  #checkPartitions(): boolean {
    const { partitions, partitionOf, log } = this.#parts
    let tried = 0
    for (const [partition, files] of this.#byPartition)
      for (const file of files)
        for (const key of file instanceof FileIndex ? file.sample(SAMPLED_KEYS) : [])
          if (partitionOf(key, partitions) !== partition) {
            if (!this.#isWarned)
              log.warn(
                `kafka.partitions is not ${partitions}: each lookup in S3 asks the files of all partitions`,
              )
            this.#isWarned = true
            return false
          } else tried++
    this.#isWarned = false
    return tried > 0
  }
}

type HeldFile = SnapshotTable | FileIndex

const SAMPLED_KEYS = 64

/** The smallest files that fit together. */
function inMemory(files: readonly SnapshotFile[], maxRows: number): ReadonlySet<string> {
  const held = new Set<string>()
  let left = maxRows
  for (const { object, rows } of files.toSorted((a, b) => a.rows - b.rows)) {
    left -= rows
    if (left < 0) break
    held.add(object)
  }
  return held
}

function higher(a: StoredScore | undefined, b: StoredScore | undefined): StoredScore | undefined {
  return a === undefined || b === undefined ? (a ?? b) : newer(a, b)
}
