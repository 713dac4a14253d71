/**
 * The proof of completeness: what lives in Elasticsearch against what the snapshot holds. Of each primary shard the
 * checkpoint is read, then its living keys; then comes a wait until whatever was emitted for them must be stored; then
 * the join. So nothing that was written meanwhile is mistaken for missing, and a row may be newer than what was read.
 *
 * A document that was deleted lives on in the snapshot until a sweep has found it. So when that is all that is wrong, a
 * newer snapshot is waited for as well.
 */
import { readShards, type ShardsView, type ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { readMaxMessageBytes } from '@freshet/adapters/kafka/message-bound.ts'
import { wasCaptured } from '@freshet/capture/awaited.ts'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import { isSameHistory } from '@freshet/records/cursor.ts'
import type { ModelIdentity } from '@freshet/records/score-batch.ts'
import { readManifest, wereTakenAway } from '@freshet/snapshot/manifest.ts'
import { type DeadReasons, readDeadReasons } from './dead-reasons.ts'
import { Findings } from './findings.ts'
import { type LivingShard, readLiving } from './living-shards.ts'
import { readCursors } from './read-cursors.ts'
import { Repair } from './repair.ts'
import { BatchJoin, type BatchParts, type BatchResult, type JudgedShard } from './verify-batch.ts'
import { type Cursors, capturedOf, Epochs } from './verify-epochs.ts'
import { type ShardReport, STANDINGS, type VerifyReport } from './verify-report.ts'
import { lookSignal, untilCaptured, untilNewer, untilSettled, untilStored } from './verify-waits.ts'
import type { VerifyWorld } from './verify-world.ts'

export interface VerifyOptions {
  /** The promoted one; null when there is none. */
  readonly model: ModelIdentity | null
  /**
   * Longest wait for each on the way: the poller, the scorer with the snapshot, and the sweep, which is given three times as
   * long again as reading all ids takes.
   */
  readonly waitMs: number
  /** Names of each kind of finding. */
  readonly maxListed: number
  /** Emit again what is missing or stale, and deletes for what is extra. */
  readonly repair: boolean
}

/** @throws what cannot be looked at: ELASTICSEARCH_…, KAFKA_…, S3_…, DEADLINE when `signal` aborts */
export async function verify(
  world: VerifyWorld,
  options: VerifyOptions,
  signal: AbortSignal,
): Promise<VerifyReport> {
  return await new Verification(world, options).run(signal)
}

class Verification {
  readonly #world: VerifyWorld
  readonly #options: VerifyOptions
  readonly #repair: Repair | null
  readonly #findings: Findings
  readonly #shards: JudgedShard[] = []
  readonly #unreadable: string[] = []
  #deadReasons: Promise<DeadReasons> | undefined
  #maxMessageBytes: Promise<number> | undefined
  #extraOfTheDead = 0
  #newestGeneration = 0
  #isSettled = true

  constructor(world: VerifyWorld, options: VerifyOptions) {
    const { settings, producer } = world
    const { pipeline, kafka } = settings
    this.#world = world
    this.#options = options
    this.#findings = new Findings(options.maxListed)
    this.#repair = options.repair ? new Repair({ pipeline, partitions: kafka.partitions, producer }) : null
  }

  async run(signal: AbortSignal): Promise<VerifyReport> {
    const { client, settings, clock } = this.#world
    const startedAtMs = clock.nowMs()
    const first = await readShards(client, settings.elasticsearch.index, signal)
    if (first.indexUuids.size === 0) await this.#refuseTypo(signal)
    this.#unreadable.push(...first.unreadable)
    await this.#verifyAll(first, signal)
    const cursors = await readCursors(this.#world.connection, settings.pipeline, signal)
    const last = await readShards(client, settings.elasticsearch.index, signal)
    const { model } = this.#options
    const hasSetAside = this.#findings.has('setAside')
    const reasons = hasSetAside ? await this.#readDeadReasons(signal) : undefined
    return {
      pipeline: settings.pipeline,
      model,
      newestGeneration: this.#newestGeneration,
      startedAtMs,
      endedAtMs: clock.nowMs(),
      isSettled: this.#isSettled,
      shards: this.#reportShards(last, cursors),
      extraOfTheDead: this.#extraOfTheDead,
      findings: this.#findings.list((key) => reasons?.reasonOf(key)),
      beyondRepair: this.#findings.beyondRepair,
      unreadable: this.#unreadable,
      closed: last.closed,
      gone: new Epochs(cursors).gone(last),
      repair: this.#repair?.report ?? null,
    }
  }

  /** Where there is no index, there may be scores of those that were. @throws INDEX_MISSING when nothing was captured either */
  async #refuseTypo(signal: AbortSignal): Promise<void> {
    const { connection, settings } = this.#world
    const { index } = settings.elasticsearch
    if (!wasCaptured(index, await readCursors(connection, settings.pipeline, signal)))
      throw new FreshetError('INDEX_MISSING', `no index matches ${index}`)
  }

  /** As many shards at once as have room in memory; at least one join, since scores outlive their shards. */
  async #verifyAll({ readable, unreadable }: ShardsView, signal: AbortSignal): Promise<void> {
    const { client, scope, clock, settings, onProgress } = this.#world
    const { maxMemoryBytes } = settings.sweep
    let isFirst = true
    for (let left = readable; isFirst || left.length > 0; isFirst = false) {
      const beganAtMs = clock.nowMs()
      const batch = await readLiving(left, { client, scope, maxMemoryBytes, clock, signal, onProgress })
      const readMs = clock.nowMs() - beganAtMs
      const { living, rest } = batch
      this.#unreadable.push(...batch.unreadable.map(nameOf))
      const isWhole = isFirst && rest.length === 0 && unreadable.length + batch.unreadable.length === 0
      const result = await this.#verifyBatch(living, { isWhole, readMs }, signal)
      this.#shards.push(...result.shards)
      this.#findings.addAll(result.findings)
      this.#newestGeneration = Math.max(this.#newestGeneration, result.newestGeneration)
      // Every batch sees the same scores of the dead.
      if (isFirst) this.#extraOfTheDead = result.extraOfTheDead
      left = rest
    }
  }

  async #verifyBatch(
    living: readonly LivingShard[],
    { isWhole, readMs }: { readonly isWhole: boolean; readonly readMs: number },
    signal: AbortSignal,
  ): Promise<BatchResult> {
    const patience = (moreMs = 0) => ({
      untilMs: this.#world.clock.nowMs() + this.#options.waitMs + moreMs,
      signal,
    })
    // First, since what counts is how far the primary was when the last key was read, or later.
    const settled = new Set(this.#repair === null ? [] : await untilSettled(this.#world, living, patience()))
    const cursors = await untilCaptured(this.#world, living, patience())
    const isStored = await untilStored(this.#world, patience())
    this.#isSettled &&= isStored
    // What is on its way must not be emitted again.
    const repair = isStored ? this.#repair : null
    // A sweep reads what was just read here: the one under way may have passed what the next is to find.
    const untilSwept = patience(SWEEPS * readMs)
    for (;;) {
      const joined = await this.#joinPatiently({ living, cursors, isWhole, repair, settled }, signal)
      const waitsForSweep = this.#repair === null && isStored && isOnlyExtra(joined.result)
      if (!waitsForSweep || !(await untilNewer(this.#world, joined.manifest, untilSwept)))
        return joined.result
    }
  }

  /** Merges may take files away while they are read: then the newer snapshot is read. A file that is lost stays lost. */
  async #joinPatiently(
    parts: Pick<BatchParts, 'living' | 'cursors' | 'isWhole' | 'repair' | 'settled'>,
    signal: AbortSignal,
  ) {
    const { store, connection, settings } = this.#world
    for (let tries = 1; ; tries++) {
      const looking = lookSignal(this.#options.waitMs, signal)
      const manifest = (await readManifest(store, settings.pipeline, looking))?.manifest ?? null
      const epochs = new Epochs(await readCursors(connection, settings.pipeline, signal))
      const join = new BatchJoin(this.#world, {
        ...parts,
        epochs,
        manifest,
        generation: this.#options.model?.generation ?? 0,
        maxListed: this.#options.maxListed,
        maxMessageBytes: await (this.#maxMessageBytes ??= readMaxMessageBytes(
          connection,
          settings.pipeline,
          signal,
        )),
        deadReasons: () => this.#readDeadReasons(signal),
      })
      try {
        return { manifest, result: await join.run(signal) }
      } catch (error) {
        if (!isFreshetError(error, 'SNAPSHOT_FILE_MISSING') || tries === MAX_JOINS) throw error
        const now = (await readManifest(store, settings.pipeline, looking))?.manifest ?? null
        if (!wereTakenAway(manifest, now)) throw error
      }
    }
  }

  #readDeadReasons(signal: AbortSignal): Promise<DeadReasons> {
    const { connection, settings } = this.#world
    return (this.#deadReasons ??= readDeadReasons(connection, settings.pipeline, signal))
  }

  /** Without those that are another shard, or none, by now: what was found of them says nothing. */
  #reportShards({ readable, indexUuids }: ShardsView, cursors: Cursors): ShardReport[] {
    return this.#shards.flatMap(({ view, checkpoint, captured, tally }) => {
      if (!indexUuids.has(view.identity.indexUuid)) return []
      const now = capturedOf(cursors, view, this.#world.scope.hash)
      const isAnother = captured !== null && now?.epoch !== captured.epoch
      if (isAnother || readable.some((other) => isOtherHistory(other, view))) {
        this.#unreadable.push(nameOf(view))
        return []
      }
      const live = STANDINGS.reduce((sum, standing) => sum + tally[standing], 0)
      const { index, shard } = view
      return [{ index, shard, checkpoint, cursor: now?.seqNo ?? null, ...tally, live }]
    })
  }
}

const MAX_JOINS = 5
/** Reads as long as ours that a sweep is waited for: the rest of the one under way, the next, and one for what slows them. */
const SWEEPS = 3

function nameOf({ index, shard }: ShardView): string {
  return `${index}/${shard}`
}

function isOtherHistory(a: ShardView, b: ShardView): boolean {
  const isSameShard = a.shard === b.shard && a.identity.indexUuid === b.identity.indexUuid
  return isSameShard && !isSameHistory(a.identity, b.identity)
}

function isOnlyExtra({ shards, extraOfTheDead }: BatchResult): boolean {
  const extra = shards.reduce((sum, { tally }) => sum + tally.extra, extraOfTheDead)
  return extra > 0 && shards.every(({ tally }) => tally.missing + tally.stale + tally.pending === 0)
}
