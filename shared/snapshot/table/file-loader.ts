import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { SnapshotFile } from '@freshet/records/manifest.ts'
import type { StoredRows } from '@freshet/records/stored-rows.ts'
import { TimeSlice } from '@freshet/stage/time-slice.ts'
import { objectKey } from '../manifest.ts'
import { openSnapshotFile } from '../parquet/read.ts'
import { type ReadingProgram, ReadingThread } from '../thread/reading-thread.ts'
import type { SnapshotTable } from './snapshot-table.ts'

/** Less than 0.1 ms of work; in the first moments, before it is compiled, some twenty times as much. */
const STEP_ROWS = 64
/** Smaller files are read here: they are over before a thread would be up. */
const FEW_ROWS = 16_384

/** Applies all rows of files to tables, one file at a time. The event loop is held for little more than a millisecond at a time. */
export class FileLoader implements AsyncDisposable {
  readonly #store: ObjectStore
  readonly #thread: ReadingThread | undefined
  readonly #signal: AbortSignal
  readonly #slice = new TimeSlice()

  /** @param program reads the same store in a thread; without it large files are read here, too */
  constructor(store: ObjectStore, program: ReadingProgram | undefined, signal: AbortSignal) {
    this.#store = store
    this.#thread = program && new ReadingThread(program, signal)
    this.#signal = signal
  }

  /**
   * @returns rows read
   * @throws SNAPSHOT_FILE_MISSING, SNAPSHOT_CORRUPT, RECORD_VERSION, and what the store throws
   */
  async load(file: SnapshotFile, table: SnapshotTable): Promise<number> {
    let rows = 0
    for await (const page of await this.#pagesOf(file)) {
      for (let row = 0; row < page.count; row += STEP_ROWS) {
        table.apply(page, row, Math.min(row + STEP_ROWS, page.count))
        const pause = this.#slice.pause()
        if (pause !== undefined) await pause
      }
      rows += page.count
    }
    return rows
  }

  async #pagesOf({ object, bytes, rows }: SnapshotFile): Promise<AsyncIterable<StoredRows>> {
    const address = { key: objectKey(object), bytes }
    if (this.#thread !== undefined && rows > FEW_ROWS) return this.#thread.pages(address)
    return (await openSnapshotFile(this.#store, address, { signal: this.#signal })).pages
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread?.[Symbol.asyncDispose]()
  }
}
