import type { Buffer } from 'node:buffer'
import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import type { Positions } from '@freshet/adapters/redis/fill-mark.ts'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { ScoreStore } from '@freshet/ports/score-store.ts'
import type { Manifest, SnapshotFile } from '@freshet/records/manifest.ts'
import { STATE, tryDecodeScoreBatch } from '@freshet/records/score-batch.ts'
import { rowsOfBatch, type StoredRows } from '@freshet/records/stored-rows.ts'
import { topicName } from '@freshet/records/topics.ts'
import { filesOf, objectKey, readManifest } from '@freshet/snapshot/manifest.ts'
import { PageBuilder } from '@freshet/snapshot/page-builder.ts'
import { openSnapshotFile } from '@freshet/snapshot/parquet/read.ts'
import type { Clock } from '@freshet/stage/clock.ts'

export interface RefillParts {
  readonly pipeline: string
  /** Scores older than this are left out, as they would have expired; 0: none is. */
  readonly ttlSeconds: number
  readonly clock: Pick<Clock, 'nowMs'>
  readonly connection: KafkaConnection
  readonly store: ObjectStore
  readonly cache: Pick<ScoreStore, 'merge'>
  /** The cache has `.scores` up to here, so that only what comes after is missing; null: nothing is known of it. */
  readonly heldTo: Positions | null
  readonly onProgress: (progress: RefillProgress) => void
}

export interface RefillProgress {
  /** Rows brought so far. */
  readonly rows: number
  /** Rows of snapshot files that are still to come. */
  readonly rowsLeft: number
  /** Messages of `.scores` that are no score batch; `.dead` has them. */
  readonly malformed: number
  /** Messages of `.scores` that Kafka had deleted before a snapshot held them. */
  readonly gone: number
  /** The cache had kept its data, and lacked only what was written last. */
  readonly resumed: boolean
}

export function describeGone(messages: number): string {
  return `${messages} messages of .scores were deleted before a snapshot held them, and their scores are not in Redis: \`freshet model promote --again\` scores everything anew`
}

/** However much there is to bring, something comes meanwhile. */
const STANDSTILL_MS = 60_000

/**
 * Brings to the cache all that the snapshot holds, page by page, and then `.scores` from the manifest's offsets to where
 * it ends by then; where the cache has kept all up to positions that `.scores` still holds, what comes after them is
 * enough. Ranks decide, so the order means nothing, whoever else writes may, and doing it again is safe. In memory: a row
 * group of one file.
 *
 * A file that cannot be read does not keep the others back; its error is thrown in the end.
 * @throws what the store, Kafka and the cache throw; DEADLINE when `signal` aborts, or nothing comes of `.scores` for a
 *   minute
 */
export async function refill(parts: RefillParts, signal: AbortSignal): Promise<RefillProgress> {
  const bringing = new Bringing(parts, signal)
  if (parts.heldTo !== null && (await bringing.resume(parts.heldTo))) return bringing.progress
  const manifest = (await readManifest(parts.store, parts.pipeline, signal))?.manifest
  const failures = await bringing.snapshot(manifest)
  const from = Object.entries(manifest?.partitions ?? {}).map(
    ([partition, { nextOffset }]) => [Number(partition), nextOffset] as const,
  )
  await bringing.scores(new Map(from), (missing) => bringing.lack(missing))
  if (failures.length > 0) throw failures[0]
  return bringing.progress
}

class Bringing {
  readonly #parts: RefillParts
  readonly #signal: AbortSignal
  progress: RefillProgress = { rows: 0, rowsLeft: 0, malformed: 0, gone: 0, resumed: false }

  constructor(parts: RefillParts, signal: AbortSignal) {
    this.#parts = parts
    this.#signal = signal
  }

  /** Newest files first: what they outrank is then only compared. @returns errors of files that cannot be read */
  async snapshot(manifest: Manifest | undefined): Promise<unknown[]> {
    const files = Object.values(manifest?.partitions ?? {}).flatMap((partition) =>
      filesOf(partition).toReversed(),
    )
    this.#tell({ rowsLeft: files.reduce((sum, { rows }) => sum + rows, 0) })
    const failures: unknown[] = []
    for (const file of files) {
      const leftAfter = this.progress.rowsLeft - file.rows
      try {
        await this.#file(file)
      } catch (error) {
        this.#check()
        if (!isFreshetError(error, 'SNAPSHOT_CORRUPT') && !isFreshetError(error, 'SNAPSHOT_FILE_MISSING'))
          throw error
        failures.push(error)
      }
      this.#tell({ rowsLeft: leftAfter })
    }
    return failures
  }

  async #file({ object, bytes }: SnapshotFile): Promise<void> {
    const { pages } = await openSnapshotFile(
      this.#parts.store,
      { key: objectKey(object), bytes },
      { signal: this.#signal },
    )
    for await (const page of pages) {
      await this.#merge(page)
      this.#tell({ rowsLeft: this.progress.rowsLeft - page.count })
    }
  }

  /** @returns false where `.scores` does not hold all that came after, or was made anew: then all is to be brought */
  async resume(heldTo: Positions): Promise<boolean> {
    const isGone = new AbortController()
    try {
      await this.scores(heldTo, () => isGone.abort(), isGone.signal)
    } catch (error) {
      if (!isGone.signal.aborted || this.#signal.aborted) throw error
    }
    this.#tell({ resumed: !isGone.signal.aborted })
    return this.progress.resumed
  }

  /** @param onGone told how many messages the log has deleted, or 0 where it never had the position */
  async scores(from: Positions, onGone: (missing: number) => void, stop?: AbortSignal): Promise<void> {
    const { connection, pipeline } = this.#parts
    await readAll(connection, topicName(pipeline, 'scores'), {
      from,
      onGone: (_, missing) => onGone(missing),
      onMessage: (_, { value }) => this.#message(value),
      signal: stop ? AbortSignal.any([this.#signal, stop]) : this.#signal,
      standstillMs: STANDSTILL_MS,
    })
  }

  lack(messages: number): void {
    this.#tell({ gone: this.progress.gone + messages })
  }

  async #message(value: Buffer | null): Promise<void> {
    const batch = tryDecodeScoreBatch(value)
    if (batch instanceof FreshetError) this.#tell({ malformed: this.progress.malformed + 1 })
    else await this.#merge(rowsOfBatch(batch))
  }

  async #merge(all: StoredRows): Promise<void> {
    this.#check()
    const { ttlSeconds, clock } = this.#parts
    const rows = ttlSeconds === 0 ? all : notOlderThan(clock.nowMs() - ttlSeconds * 1_000, all)
    await this.#parts.cache.merge(rows, this.#signal)
    this.#tell({ rows: this.progress.rows + rows.count })
  }

  #check(): void {
    if (this.#signal.aborted) throw new FreshetError('DEADLINE', 'the refill was stopped')
  }

  #tell(news: Partial<RefillProgress>): void {
    this.progress = { ...this.progress, ...news }
    this.#parts.onProgress(this.progress)
  }
}

/** Deletes stay, however old: the key may live in the cache. */
function notOlderThan(oldestMs: number, rows: StoredRows): StoredRows {
  const kept = new PageBuilder(rows.schema, rows.count)
  const outputs = rows.schema.outputs.map((_, i) => i)
  for (let row = 0; row < rows.count; row++)
    if (rows.states[row] === STATE.deleted || rows.scoredAtMs[row]! >= oldestMs)
      kept.append(rows, { from: row, to: row + 1 }, outputs)
  return kept.take()
}
