import { isDeepStrictEqual as equals } from 'node:util'
import type { Lease } from '@freshet/adapters/kafka/consumer.ts'
import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { type Settings, settingsSchema } from '@freshet/config/schema.ts'
import { isFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { LATEST_OBJECT, latestRecord } from '@freshet/records/latest-snapshot.ts'
import type { ScoreBatch } from '@freshet/records/score-batch.ts'
import { plainMerge } from '@freshet/records/score-batches.kit.ts'
import { ServiceState } from '@freshet/service/service-state.ts'
import { filesOf, objectKey, readManifest } from '@freshet/snapshot/manifest.ts'
import { openSnapshotFile } from '@freshet/snapshot/parquet/read.ts'
import { SnapshotTable } from '@freshet/snapshot/table/snapshot-table.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { quietTelemetry } from '@freshet/telemetry/telemetry.kit.ts'
import { expect } from 'vitest'
import { writeDeltas } from './flush.ts'
import { collectOrphans } from './orphans.ts'
import { PART_BYTES } from './put-file.ts'
import { SnapshotMembership } from './snapshot-membership.ts'
import type { SnapshotParts } from './snapshot-parts.ts'

const PIPELINE = 'flights'
const HOUR_MS = 3_600_000

/** A log of score batches, a store, and a clock that moves by hand; workers are the real thing but for Kafka and time. */
export class SnapshotWorld {
  readonly log: readonly ScoreBatch[]
  readonly store: ObjectStore
  readonly #settings: Settings['snapshot']
  #nowMs = Date.now()

  constructor(log: readonly ScoreBatch[], settings: Partial<Settings['snapshot']> = {}, store?: ObjectStore) {
    this.log = log
    this.store = store ?? new MemoryObjectStore(() => this.#nowMs)
    const keepTombstones = { tombstoneTtlSeconds: Number.POSITIVE_INFINITY }
    this.#settings = { ...settingsSchema.parse({}).snapshot, ...keepTombstones, ...settings }
  }

  pass(ms: number): void {
    this.#nowMs += ms
  }

  /** Small files go in several parts where the store takes such. */
  parts(store: ObjectStore = this.store): SnapshotParts {
    return {
      store,
      pipeline: PIPELINE,
      instance: 'scorer-1',
      clock: {
        nowMs: () => this.#nowMs,
        sleep: () => new Promise<void>((resolve) => setImmediate(resolve)),
      },
      log: quietLog,
      partBytes: this.store instanceof MemoryObjectStore ? 700 : PART_BYTES,
      telemetry: quietTelemetry(),
      settings: this.#settings,
      report: new ServiceState(),
    }
  }

  /** A membership of partition 0, which holds the log from the manifest's offset to before `to`. */
  async begin(parts = this.parts(), to = this.log.length): Promise<SnapshotMembership> {
    const membership = new SnapshotMembership(
      [0],
      (await readManifest(parts.store, PIPELINE))?.manifest,
      parts,
    )
    for (let offset = membership.held.starts().get(0)!; offset < to; offset++)
      membership.held.add(0, offset, this.log[offset]!, lease)
    return membership
  }

  /** A worker's whole life: from the manifest's offset to the end of the log, one delta a batch, with all that is due. */
  async work(store: ObjectStore = this.store): Promise<void> {
    const parts = this.parts(store)
    const membership = await this.begin(parts, 0)
    await collectOrphans(parts, forEver)
    for (let offset = membership.held.starts().get(0)!; offset < this.log.length; offset++) {
      membership.held.add(0, offset, this.log[offset]!, lease)
      await writeDeltas(membership.own, membership.take(), parts, forEver)
      await membership.merges.run({ write: forEver, commit: forEver })
      this.pass(20 * 60_000)
      await collectOrphans(parts, forEver)
    }
  }

  /** @returns the next offset, after the files were found to hold exactly what came before it */
  async expectWhole(): Promise<number> {
    const partition = (await readManifest(this.store, PIPELINE))?.manifest.partitions[0]
    const table = new SnapshotTable()
    for (const { object, rows } of partition === undefined ? [] : filesOf(partition))
      expect(await this.#load(table, objectKey(object))).toBe(rows)
    const nextOffset = partition?.nextOffset ?? 0
    const expected = snapshotsOf(this.log)[nextOffset]!
    expect(table.size).toBe(expected.size)
    for (const [key, score] of expected)
      if (!equals(table.get(key), score)) expect(table.get(key)).toEqual(score)
    return nextOffset
  }

  /** What people read is the snapshot of some commit, the newest one or one before: all of its files are there. */
  async expectLatest(): Promise<void> {
    const { body } = await this.store.get(LATEST_OBJECT).catch(() => ({ body: undefined }))
    if (body === undefined) return
    const table = new SnapshotTable()
    for (const url of latestRecord.decode(body).files)
      await this.#load(table, url.slice(this.store.urlOf('').length))
    const fits = snapshotsOf(this.log).some(
      (rows) =>
        rows.size === table.size && rows.entries().every(([key, score]) => equals(table.get(key), score)),
    )
    expect(fits).toBe(true)
  }

  /** In time nothing is left but the files that the manifest names, it, and what people read. */
  async expectTidy(): Promise<void> {
    this.pass(2 * HOUR_MS)
    await collectOrphans(this.parts(), forEver)
    const { manifest } = (await readManifest(this.store, PIPELINE))!
    const files = Object.values(manifest.partitions).flatMap(filesOf)
    const named = files.map(({ object }) => objectKey(object))
    const listed = await this.store.list('')
    expect(listed.map(({ key }) => key).sort()).toEqual(
      [...named, LATEST_OBJECT, 'snapshots/manifest.json'].sort(),
    )
    expect(await this.store.abortUploads('', Number.POSITIVE_INFINITY)).toBe(0)
    const latest = latestRecord.decode((await this.store.get(LATEST_OBJECT)).body)
    expect(latest.files).toEqual(named.map((key) => this.store.urlOf(key)))
  }

  /** @returns rows in the file */
  async #load(table: SnapshotTable, key: string): Promise<number> {
    const { body } = await this.store.get(key)
    let rows = 0
    for await (const page of (await openSnapshotFile(this.store, { key, bytes: body.length })).pages) {
      table.apply(page)
      rows += page.count
    }
    return rows
  }
}

export const forEver: AbortSignal = new AbortController().signal

/** Of a membership that never ends, and that nobody hears of. */
export const lease: Lease = {
  signal: forEver,
  check() {},
  heartbeat: async () => {},
  commit: async () => {},
  start: { nextOffset: 0, note: '' },
  rest: () => () => {},
}

/** What the snapshot is at each offset; the same log is used for many worlds. */
const snapshots = new WeakMap<readonly ScoreBatch[], ReturnType<typeof plainMerge>[]>()

function snapshotsOf(log: readonly ScoreBatch[]) {
  const known = snapshots.get(log)
  if (known !== undefined) return known
  const all = Array.from({ length: log.length + 1 }, (_, offset) => plainMerge(log.slice(0, offset)))
  snapshots.set(log, all)
  return all
}

/** For what a fence or a death ends a worker with. @throws what is neither */
export async function endOf(work: Promise<unknown>, codes: readonly string[]): Promise<void> {
  await work.catch((error: unknown) => {
    if (!isFreshetError(error) || !codes.includes(error.code)) throw error
  })
}
