import { isFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { Manifest, SnapshotFile } from '@freshet/records/manifest.ts'
import { TimeSlice } from '@freshet/stage/time-slice.ts'
import { filesOf, objectKey } from '../manifest.ts'
import { readLayout } from '../parquet/layout.ts'
import { openSource } from '../parquet/source.ts'
import { rowBytes } from '../table/row-bytes.ts'

/** What a row of a snapshot takes in memory: its largest file says how many outputs it has. */
export class RowSize {
  readonly #store: ObjectStore
  readonly #hasVersion: boolean
  #largest = ''
  #bytes: number

  /** @param hasVersion whether documents have versions of their own. */
  constructor(store: ObjectStore, hasVersion: boolean) {
    this.#store = store
    this.#hasVersion = hasVersion
    this.#bytes = rowBytes(1, hasVersion)
  }

  /** One request when the largest file is another; where it cannot be read, what was known before. @throws S3_UNREACHABLE */
  async of({ partitions }: Manifest, signal: AbortSignal): Promise<number> {
    const files = Object.values(partitions).flatMap(filesOf)
    const largest = files.reduce<SnapshotFile | undefined>(
      (most, file) => (most === undefined || file.rows > most.rows ? file : most),
      undefined,
    )
    if (largest !== undefined && largest.object !== this.#largest) await this.#look(largest, signal)
    return this.#bytes
  }

  async #look({ object, bytes }: SnapshotFile, signal: AbortSignal): Promise<void> {
    try {
      const source = await openSource(this.#store, { key: objectKey(object), bytes }, signal)
      const { schema } = await readLayout(source, new TimeSlice())
      this.#bytes = rowBytes(schema.outputs.length, this.#hasVersion)
      this.#largest = object
    } catch (error) {
      if (signal.aborted || isFreshetError(error, 'S3_UNREACHABLE')) throw error // else whoever loads it tells
    }
  }
}
