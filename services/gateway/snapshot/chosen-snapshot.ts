import type { Settings } from '@freshet/config/schema.ts'
import type { Manifest } from '@freshet/records/manifest.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'
import { filesOf } from '@freshet/snapshot/manifest.ts'
import { type RangedParts, RangedSnapshot } from '@freshet/snapshot/ranges/ranged-snapshot.ts'
import type { SnapshotHolder } from '@freshet/snapshot/snapshot-holder.ts'
import { SnapshotInMemory } from '@freshet/snapshot/table/snapshot-in-memory.ts'

/** A row of a file, in memory; of a key that is in several files there is one. */
const ROW_BYTES = 56

/** The snapshot in memory or, when the mode or its size says so, by range reads. From ranges it does not go back. */
export class ChosenSnapshot implements SnapshotHolder {
  readonly #mode: Settings['gateway']['snapshot']['mode']
  readonly #parts: RangedParts
  #held: SnapshotInMemory | RangedSnapshot

  constructor(
    mode: Settings['gateway']['snapshot']['mode'],
    parts: RangedParts & { readonly tombstoneTtlMs: number },
  ) {
    this.#mode = mode
    this.#parts = parts
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
    const { memoryBytes, log } = this.#parts
    const wantedBytes = rowsOf(manifest) * ROW_BYTES
    if (this.#mode !== 'auto' || this.ranged !== undefined || wantedBytes <= memoryBytes)
      return this.#held.take(manifest, signal)
    const ranged = new RangedSnapshot(this.#parts)
    const rows = await ranged.take(manifest, signal)
    log.info(`the snapshot wants ${mib(wantedBytes)} MiB of ${mib(memoryBytes)}: S3 is asked for its pages`)
    this.#held = ranged
    return rows
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
