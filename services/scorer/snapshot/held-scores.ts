import type { Lease } from '@freshet/adapters/kafka/consumer.ts'
import type { TraceContext } from '@freshet/records/change.ts'
import type { Manifest } from '@freshet/records/manifest.ts'
import type { ScoreBatch } from '@freshet/records/score-batch.ts'
import { rowsOfBatch } from '@freshet/records/stored-rows.ts'
import type { SortedSource } from '@freshet/snapshot/merge.ts'
import { sortRows } from '@freshet/snapshot/sort.ts'
import type { TracedScore } from '../document-steps.ts'

/** What goes into the next delta of one partition. */
export interface TakenScores {
  readonly partition: number
  /** (4→5) One sorted source a batch; each key once in each. */
  readonly sources: readonly SortedSource[]
  readonly rows: number
  /** Offsets of `.scores` that were read: from the first to before the next. */
  readonly fromOffset: number
  readonly nextOffset: number
  readonly lease: Lease
  /** Of the spans that produced the batches, the first: a span takes no more links. */
  readonly origins: readonly TraceContext[]
  /** The documents among them that are traced. */
  readonly traced: readonly HeldTrace[]
}

/** A traced document, and since when it is held: wall-clock milliseconds. */
export interface HeldTrace {
  readonly score: TracedScore
  readonly sinceMs: number
}

const MAX_ORIGINS = 128

/** Scores that were read and are in no file yet, for the partitions of one membership; with it they are dropped whole. */
export class HeldScores {
  readonly #partitions = new Map<number, HeldPartition>()
  #rows = 0

  constructor(partitions: readonly number[], manifest: Manifest | undefined) {
    for (const partition of partitions) {
      const nextOffset = manifest?.partitions[partition]?.nextOffset ?? 0
      this.#partitions.set(partition, { nextOffset, begun: false, ...nothing() })
    }
  }

  /** Rows that wait to be taken. */
  get rows(): number {
    return this.#rows
  }

  /** Where to read on; from the beginning where the manifest knows nothing, whatever the group has committed. */
  starts(): ReadonlyMap<number, number> {
    return new Map([...this.#partitions].map(([partition, { nextOffset }]) => [partition, nextOffset]))
  }

  /** False: what was read before, and need not be decoded. */
  wants(partition: number, offset: number): boolean {
    const held = this.#partitions.get(partition)!
    // The first offset counts as it is: below ours the topic was made anew, beyond it the log has lost the rest.
    return !held.begun || offset >= held.nextOffset
  }

  /**
   * @param batch null: the message could not be read, and is passed over.
   * @param traced those of its documents that are traced.
   */
  add(
    partition: number,
    offset: number,
    batch: ScoreBatch | null,
    lease: Lease,
    traced: readonly HeldTrace[] = [],
  ): void {
    const held = this.#partitions.get(partition)!
    held.begun = true
    held.lease = lease
    held.fromOffset ??= offset
    held.nextOffset = offset + 1
    if (batch === null || batch.rows.count === 0) return
    held.batches.push(sortRows(rowsOfBatch(batch)))
    held.rows += batch.rows.count
    held.traced.push(...traced)
    const { trace } = batch.header
    if (trace !== null && held.origins.length < MAX_ORIGINS) held.origins.push(trace)
    this.#rows += batch.rows.count
  }

  /** Everything that came since the last time, by partition; not held any more. */
  take(): TakenScores[] {
    const taken: TakenScores[] = []
    for (const [partition, held] of this.#partitions) {
      const { batches, rows, fromOffset, nextOffset, lease, origins, traced } = held
      if (fromOffset === undefined || lease === undefined) continue
      taken.push({ partition, sources: batches, rows, fromOffset, nextOffset, lease, origins, traced })
      this.#partitions.set(partition, { ...held, ...nothing() })
    }
    this.#rows = 0
    return taken
  }
}

interface HeldPartition extends HeldSinceTake {
  nextOffset: number
  /** Whether a first message has come. */
  begun: boolean
  lease?: Lease
}

interface HeldSinceTake {
  readonly batches: SortedSource[]
  rows: number
  readonly origins: TraceContext[]
  readonly traced: HeldTrace[]
  /** undefined: nothing came. */
  fromOffset: number | undefined
}

function nothing(): HeldSinceTake {
  return { batches: [], rows: 0, origins: [], traced: [], fromOffset: undefined }
}
