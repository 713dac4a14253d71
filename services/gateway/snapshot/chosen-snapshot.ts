import type { Settings } from '@freshet/config/schema.ts'
import type { Manifest } from '@freshet/records/manifest.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'
import { filesOf } from '@freshet/snapshot/manifest.ts'
import { type RangedParts, RangedSnapshot } from '@freshet/snapshot/ranges/ranged-snapshot.ts'
import { RowSize } from '@freshet/snapshot/ranges/row-size.ts'
import type { SnapshotHolder } from '@freshet/snapshot/snapshot-holder.ts'
import { SnapshotInMemory } from '@freshet/snapshot/table/snapshot-in-memory.ts'

/** The snapshot in memory or, when the mode or its size says so, by range reads. From ranges it does not go back. */
export class ChosenSnapshot implements SnapshotHolder {
  readonly #mode: Settings['gateway']['snapshot']['mode']
  readonly #parts: RangedParts
  readonly #rowSize: RowSize
  #held: SnapshotInMemory | RangedSnapshot
  /** Is to take the place of what memory holds once it has all of a snapshot; kept, so that no look begins anew. */
  #coming: RangedSnapshot | undefined

  constructor(
    mode: Settings['gateway']['snapshot']['mode'],
    parts: RangedParts & { readonly tombstoneTtlMs: number },
  ) {
    this.#mode = mode
    this.#parts = parts
    this.#rowSize = new RowSize(parts.store, parts.hasVersions)
    this.#held = mode === 'ranges' ? new RangedSnapshot(parts) : new SnapshotInMemory(parts.store, parts)
  }

  get keys(): number {
    return this.#held.keys
  }

  get bytes(): number {
    return this.#held.bytes
  }

  /** What is to be asked beside memory. */
  get ranged(): RangedSnapshot | undefined {
    return this.#held instanceof RangedSnapshot ? this.#held : undefined
  }

  get(key: string): StoredScore | undefined {
    return this.#held.get(key)
  }

  async take(manifest: Manifest, signal: AbortSignal): Promise<number> {
    const held = this.#held
    if (this.#mode !== 'auto' || held instanceof RangedSnapshot) return held.take(manifest, signal)
    const { memoryBytes } = this.#parts
    // Of a key that is in several files there is one row; a delta may have outputs that the largest file has not.
    const rowBytes = Math.max(held.table.rowBytes, await this.#rowSize.of(manifest, signal))
    const wantedBytes = rowsOf(manifest) * rowBytes
    if (wantedBytes > memoryBytes) return this.#takeRanged(manifest, wantedBytes, signal)
    this.#coming = undefined
    return held.take(manifest, signal)
  }

  async #takeRanged(manifest: Manifest, wantedBytes: number, signal: AbortSignal): Promise<number> {
    const { memoryBytes, log } = this.#parts
    const ranged = (this.#coming ??= new RangedSnapshot(this.#parts))
    try {
      const rows = await ranged.take(manifest, signal)
      this.#replaceBy(ranged)
      log.info(`the snapshot wants ${mib(wantedBytes)} MiB of ${mib(memoryBytes)}: S3 is asked for its pages`)
      return rows
    } catch (error) {
      if (this.#held.keys === 0) this.#replaceBy(ranged) // what it could take is more than nothing
      throw error
    }
  }

  #replaceBy(ranged: RangedSnapshot): void {
    this.#held = ranged
    this.#coming = undefined
  }

  tidy(nowMs: number): void {
    this.#held.tidy(nowMs)
  }
}

function rowsOf({ partitions }: Manifest): number {
  return Object.values(partitions)
    .flatMap(filesOf)
    .reduce((sum, { rows }) => sum + rows, 0)
}

function mib(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20)
}
