import type { Manifest } from '@freshet/records/manifest.ts'
import { flushDueMs } from './flush-due.ts'
import { HeldScores } from './held-scores.ts'
import { Merges } from './merges.ts'
import { OwnPartitions } from './own-partitions.ts'
import type { SnapshotParts } from './snapshot-parts.ts'

/** While the group gives us these partitions: what the manifest has of them, what is held for them. Then all is dropped. */
export class SnapshotMembership {
  readonly own: OwnPartitions
  readonly held: HeldScores
  readonly merges: Merges
  readonly #parts: SnapshotParts
  readonly #begunAtMs: number
  #flushedAtMs = 0
  readonly #over = new AbortController()

  constructor(partitions: readonly number[], manifest: Manifest | undefined, parts: SnapshotParts) {
    this.own = new OwnPartitions(partitions, manifest)
    this.held = new HeldScores(partitions, manifest)
    this.merges = new Merges(this.own, parts)
    this.#parts = parts
    this.#begunAtMs = parts.clock.nowMs()
  }

  /** Aborts when the membership is over. */
  get over(): AbortSignal {
    return this.#over.signal
  }

  /** Wall-clock milliseconds. */
  get flushDueMs(): number {
    const { committedAtMs } = this.own
    const times = { committedAtMs, begunAtMs: this.#begunAtMs, flushedAtMs: this.#flushedAtMs }
    return flushDueMs(times, this.#parts.settings.intervalSeconds * 1_000)
  }

  take(): ReturnType<HeldScores['take']> {
    this.#flushedAtMs = this.#parts.clock.nowMs()
    return this.held.take()
  }

  end(): void {
    this.#over.abort()
  }
}
