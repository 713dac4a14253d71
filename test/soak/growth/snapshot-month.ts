/**
 * A month of one writer's partitions, by a simulated clock: what is decided is decided by the product (which files are
 * merged, how a partition looks then, what is kept for late readers); rows and bytes are numbers only.
 */
import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import type { ManifestPartition, SnapshotFile } from '@freshet/records/manifest.ts'
import { type FileName, fileName } from '@freshet/scorer/snapshot/file-names.ts'
import { filesToOne } from '@freshet/scorer/snapshot/files-to-one.ts'
import { type MergePlan, planMerge } from '@freshet/scorer/snapshot/merge-plan.ts'
import { PART_BYTES } from '@freshet/scorer/snapshot/put-file.ts'
import { filesOf } from '@freshet/snapshot/manifest.ts'
import { recentlyRetired } from '@freshet/snapshot/retention.ts'

export interface MonthOptions {
  readonly days: number
  readonly partitions: number
  /** In each partition when the month begins. */
  readonly rows: number
  /** New ones of each partition in a delta. */
  readonly deltaRows: number
  readonly intervalSeconds: number
  readonly bytesPerRow: number
  readonly mergedRowsPerSecond: number
  readonly settings: {
    readonly mergeShare: number
    readonly maxDeltas: number
    readonly tombstoneTtlSeconds: number
  }
}

export interface Month {
  readonly deltas: number
  readonly merges: number
  /** New rows, and rows that were written again by merges. */
  readonly newRows: number
  readonly mergedRows: number
  /** Share of the month in which a merge was under way. */
  readonly busyShare: number
  readonly mostFilesOfAPartition: number
  readonly longestMergeSeconds: number
  /** Requests that files take: puts and parts; reads by merges. */
  readonly puts: number
  readonly gets: number
  /** When entries of files and of those that were merged were the most. */
  readonly fullest: readonly ManifestPartition[]
  /** At the end: what S3 holds with what is kept for an hour. */
  readonly storedBytes: number
}

const START_MS = Date.UTC(2026, 0, 1)
/** What a reader fetches at a time. */
const GROUP_ROWS = 98_304
const ATTEMPT = 'a1b2c3d4e5f6'

export function simulateMonth(options: MonthOptions): Month {
  const writer = new Writer(options)
  const ticks = Math.floor((options.days * 86_400) / options.intervalSeconds)
  for (let tick = 1; tick <= ticks; tick++) writer.flush(START_MS + tick * options.intervalSeconds * 1_000)
  return writer.month()
}

interface Merge {
  readonly partition: number
  readonly plan: MergePlan
  readonly beganAtMs: number
  readonly endsAtMs: number
}

class Writer {
  readonly #options: MonthOptions
  readonly #partitions: ManifestPartition[]
  readonly #store = new MemoryObjectStore()
  #merge: Merge | undefined
  #at = 0
  #nowMs = START_MS
  #busyMs = 0
  #deltas = 0
  #merges = 0
  #mergedRows = 0
  #mostFiles = 0
  #longestMergeMs = 0
  #puts = 0
  #gets = 0
  #mostEntries = 0
  #fullest: readonly ManifestPartition[] = []

  constructor(options: MonthOptions) {
    this.#options = options
    this.#partitions = Array.from({ length: options.partitions }, (_, partition) => ({
      nextOffset: 1_000_000_000,
      base: this.#file({ partition, kind: 'base', fromOffset: 0, toOffset: 999_999_999 }, options.rows),
      deltas: [],
      retired: [],
    }))
  }

  /** Merges until then, and then a delta for each partition. */
  flush(atMs: number): void {
    this.#mergeUntil(atMs)
    for (const [partition, now] of this.#partitions.entries()) {
      const name: FileName = {
        ...{ partition, kind: 'delta', fromOffset: now.nextOffset },
        toOffset: now.nextOffset + 9,
      }
      const file = this.#file(name, this.#options.deltaRows)
      this.#puts += putsOf(file)
      this.#deltas++
      this.#partitions[partition] = {
        ...now,
        nextOffset: now.nextOffset + 10,
        writtenAtMs: atMs,
        deltas: [...now.deltas, file],
        retired: recentlyRetired(now, atMs),
      }
    }
    this.#count()
  }

  month(): Month {
    const { days, deltaRows } = this.#options
    return {
      deltas: this.#deltas,
      merges: this.#merges,
      newRows: this.#deltas * deltaRows,
      mergedRows: this.#mergedRows,
      busyShare: this.#busyMs / (days * 86_400_000),
      mostFilesOfAPartition: this.#mostFiles,
      longestMergeSeconds: this.#longestMergeMs / 1_000,
      puts: this.#puts,
      gets: this.#gets,
      fullest: this.#fullest,
      storedBytes: sum(this.#partitions.flatMap(filesOf).map(({ bytes }) => bytes)),
    }
  }

  /** One at a time, in the order of the partitions, each until none is due: as `Merges` does. */
  #mergeUntil(atMs: number): void {
    for (;;) {
      this.#merge ??= this.#nextMerge()
      if (this.#merge === undefined) break
      if (this.#merge.endsAtMs > atMs) return
      this.#finish(this.#merge)
      this.#merge = undefined
    }
    this.#nowMs = atMs
  }

  #nextMerge(): Merge | undefined {
    for (let tried = 0; tried < this.#partitions.length; tried++) {
      const partition = this.#at
      const plan = planMerge(this.#partitions[partition]!, this.#options.settings)
      if (plan !== undefined) {
        const rows = sum(plan.files.map((file) => file.rows))
        const lastsMs = (rows / this.#options.mergedRowsPerSecond) * 1_000
        return { partition, plan, beganAtMs: this.#nowMs, endsAtMs: this.#nowMs + lastsMs }
      }
      this.#at = (this.#at + 1) % this.#partitions.length
    }
    return undefined
  }

  #finish({ partition, plan, beganAtMs, endsAtMs }: Merge): void {
    const { settings } = this.#options
    const merged = filesToOne(partition, plan, {
      ...{ store: this.#store, settings, nowMs: beganAtMs },
      pause: async () => {},
    })
    // Most changes are of documents that the base has, so it stays as large as it is; a delta holds all of them.
    const rows = plan.kind === 'base' ? this.#options.rows : sum(plan.files.map((file) => file.rows))
    const file = this.#file(merged.name, rows)
    this.#partitions[partition] = merged.next(file, this.#partitions[partition], endsAtMs)
    this.#nowMs = endsAtMs
    this.#busyMs += endsAtMs - beganAtMs
    this.#longestMergeMs = Math.max(this.#longestMergeMs, endsAtMs - beganAtMs)
    this.#merges++
    this.#mergedRows += rows
    this.#puts += putsOf(file)
    this.#gets += sum(plan.files.map(getsOf))
    this.#count()
  }

  #count(): void {
    let entries = 0
    for (const partition of this.#partitions) {
      const files = filesOf(partition).length
      this.#mostFiles = Math.max(this.#mostFiles, files)
      entries += files + partition.retired.length
    }
    if (entries <= this.#mostEntries) return
    this.#mostEntries = entries
    this.#fullest = [...this.#partitions]
  }

  #file(name: FileName, rows: number): SnapshotFile {
    const bytes = Math.round(rows * this.#options.bytesPerRow)
    return { object: fileName(name, ATTEMPT), rows: Math.round(rows), bytes, newestAsOfMs: this.#nowMs }
  }
}

/** Begun, each part, ended; or one put. */
function putsOf({ bytes }: SnapshotFile): number {
  return bytes < PART_BYTES ? 1 : 2 + Math.ceil(bytes / PART_BYTES)
}

/** The end of the file, then each row group; a file below half a megabyte comes with its end. */
function getsOf({ rows, bytes }: SnapshotFile): number {
  return bytes < 512 * 1_024 ? 1 : 1 + Math.ceil(rows / GROUP_ROWS)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
