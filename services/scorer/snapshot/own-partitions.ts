import type { Manifest, ManifestPartition } from '@freshet/records/manifest.ts'
import {
  type Commit,
  type Committer,
  commitManifest,
  type PartitionChange,
} from '@freshet/snapshot/manifest-commit.ts'
import { patiently } from './patience.ts'
import type { FilePutter } from './put-file.ts'

/** A partition as the manifest has it; undefined: it does not know it yet. */
export type Committed = ManifestPartition | undefined

/**
 * The partitions of one membership, as the manifest has them by our own last commit. Commits go one after the other, so
 * that a delta and a merge of the same partition each build on what the other has left.
 */
export class OwnPartitions {
  readonly #committed: Map<number, Committed>
  #last: Promise<void> = Promise.resolve()

  constructor(partitions: readonly number[], manifest: Manifest | undefined) {
    this.#committed = new Map(partitions.map((partition) => [partition, manifest?.partitions[partition]]))
  }

  /** Of all of them, those that the manifest does not know too. */
  numbers(): readonly number[] {
    return [...this.#committed.keys()]
  }

  at(partition: number): Committed {
    return this.#committed.get(partition)
  }

  /** When a delta of one of them was last committed, by whomever; 0: never. */
  get committedAtMs(): number {
    return Math.max(0, ...[...this.#committed.values()].map((one) => one?.writtenAtMs ?? 0))
  }

  /**
   * Commits what becomes of some of them. While the store is away it tries again, until `signal` aborts.
   * @throws MANIFEST_FENCED, DEADLINE; errors a retry cannot help
   */
  async commit(
    committer: Committer & Pick<FilePutter, 'log'>,
    next: ReadonlyMap<number, (now: Committed) => ManifestPartition>,
    commit: Omit<Commit, 'changes'>,
    signal: AbortSignal,
  ): Promise<void> {
    const before = this.#last
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#last = promise
    try {
      await before // has its own deadline
      const changes = new Map([...next].map(([partition, of]) => [partition, this.#change(partition, of)]))
      await patiently(committer, signal, () => commitManifest(committer, { ...commit, changes }, signal))
      for (const [partition, change] of changes) this.#committed.set(partition, change.next)
    } finally {
      resolve()
    }
  }

  #change(partition: number, next: (now: Committed) => ManifestPartition): PartitionChange {
    const expected = this.#committed.get(partition)
    return { expected, next: next(expected) }
  }
}
