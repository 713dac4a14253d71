import { isFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { Manifest, ManifestPartition, SnapshotFile } from '@freshet/records/manifest.ts'
import { delayMs } from '@freshet/stage/back-off.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { filesOf, objectKey, readManifest } from './manifest.ts'
import { DecodingThread } from './parquet/decoding-thread.ts'
import { type GroupDecoder, openSnapshotFile } from './parquet/read.ts'
import type { SnapshotTable } from './table/snapshot-table.ts'

export interface FollowStatus {
  /** `loading`: not all of a first manifest is in the table. `unavailable`: the last look failed; the table stays. */
  readonly state: 'loading' | 'following' | 'unavailable'
  /** Of the manifest that the table holds; 0 before the first. */
  readonly sequence: number
  /** When the store was last found to hold nothing that the table lacks; 0 before the first time. */
  readonly loadedAtMs: number
}

/** A store that is back is to be read within 5 s; a look costs it one small request. */
const BACK_OFF = { firstMs: 250, maxMs: 2_000 }

export interface FollowerParts {
  readonly store: ObjectStore
  readonly pipeline: string
  readonly table: SnapshotTable
  /** Pause between two looks at the manifest. */
  readonly everyMs: number
  readonly clock: Clock
  readonly log: Log
  /** After each look: what it met, undefined when all went well. */
  readonly onLook?: (fault: unknown) => void
}

/**
 * Keeps a table at the newest snapshot: first all files of the manifest, then each new delta. A base that holds only
 * what was loaded before is not read again. Rows win by rank, so the order of files does not matter, and whatever was
 * loaded before a failure stays. The event loop is held for some 2 ms at a time.
 */
export class SnapshotFollower {
  readonly #parts: FollowerParts
  #status: FollowStatus = { state: 'loading', sequence: 0, loadedAtMs: 0 }
  /** Files whose rows are in the table, as far as a manifest still names them. */
  #loaded = new Set<string>()

  constructor(parts: FollowerParts) {
    this.#parts = parts
  }

  get status(): FollowStatus {
    return this.#status
  }

  /**
   * Follows until `signal` aborts. For what the store does it looks again, ever more patiently.
   * @throws CONFIG_INVALID when the snapshot is another pipeline's
   */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, everyMs, log } = this.#parts
    let failures = 0
    while (!signal.aborted) {
      try {
        await this.#look(signal)
        failures = 0
        this.#parts.onLook?.(undefined)
      } catch (error) {
        if (signal.aborted) return
        if (isFreshetError(error, 'CONFIG_INVALID')) throw error
        // A merge may replace a file between our look at the manifest and our read of it: look again, it is no failure.
        if (isFreshetError(error, 'SNAPSHOT_FILE_MISSING') && failures === 0) {
          failures++
          continue
        }
        if (failures++ === 0 || this.#status.state !== 'unavailable') log.error('snapshot unavailable', error)
        this.#status = { ...this.#status, state: 'unavailable' }
        this.#parts.onLook?.(error)
      }
      const backOffMs = delayMs(BACK_OFF, failures - 1, Math.random)
      await clock.sleep(failures === 0 ? everyMs : backOffMs, signal)
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { clock, store, pipeline, log, table } = this.#parts
    const manifest = (await readManifest(store, pipeline, signal))?.manifest
    if (manifest !== undefined && manifest.sequence !== this.#status.sequence) {
      const rows = await this.#load(manifest, signal)
      log.info(`snapshot ${manifest.sequence} loaded: ${rows} rows read, ${table.size} keys held`)
    }
    this.#status = {
      state: 'following',
      sequence: manifest?.sequence ?? this.#status.sequence,
      loadedAtMs: clock.nowMs(),
    }
  }

  /** A file that cannot be read does not keep the others from being loaded. @returns rows read */
  async #load(manifest: Manifest, signal: AbortSignal): Promise<number> {
    await using decoder = new DecodingThread(signal)
    let rows = 0
    const failures: unknown[] = []
    for (const partition of Object.values(manifest.partitions))
      for (const file of filesOf(partition))
        try {
          if (!isLoaded(file.object, partition, this.#loaded))
            rows += await this.#loadFile(file, decoder, signal)
          this.#loaded.add(file.object)
        } catch (error) {
          if (signal.aborted || isFreshetError(error, 'S3_UNREACHABLE')) throw error
          failures.push(error)
        }
    const named = Object.values(manifest.partitions).flatMap((partition) => [
      ...filesOf(partition).map(({ object }) => object),
      ...partition.retired.map(({ object }) => object),
    ])
    this.#loaded = new Set(named.filter((object) => this.#loaded.has(object)))
    if (failures.length > 0) throw failures[0]
    return rows
  }

  async #loadFile(file: SnapshotFile, decoder: GroupDecoder, signal: AbortSignal): Promise<number> {
    let rows = 0
    const { store, table } = this.#parts
    const address = { key: objectKey(file.object), bytes: file.bytes }
    const { slice } = decoder
    const { pages } = await openSnapshotFile(store, address, signal, 'all', decoder)
    for await (const page of pages) {
      for (let row = 0; row < page.count; row += STEP_ROWS) {
        table.apply(page, row, Math.min(row + STEP_ROWS, page.count))
        const pause = slice.pause()
        if (pause !== undefined) await pause
      }
      rows += page.count
    }
    return rows
  }
}

/** Some 0.2 ms of work. */
const STEP_ROWS = 256

/** A base brings nothing new when everything that was merged into it is in the table, directly or through a base. */
function isLoaded(object: string, partition: ManifestPartition, loaded: ReadonlySet<string>): boolean {
  if (loaded.has(object)) return true
  const merged = partition.retired.filter(({ into }) => into === object)
  return merged.length > 0 && merged.every((file) => isLoaded(file.object, partition, loaded))
}
