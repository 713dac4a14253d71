import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Manifest } from '@freshet/records/manifest.ts'
import type { Revision } from '@freshet/records/revision.ts'
import type { DeadReasons } from './dead-reasons.ts'
import { Findings } from './findings.ts'
import { heldRows } from './held-rows.ts'
import type { LivingShard } from './living-shards.ts'
import type { Repair } from './repair.ts'
import { LOOK_AT_ONCE, type LookedAt, SecondLook } from './second-look.ts'
import { tombstoneInShard, tombstoneOfDeadEpoch } from './tombstone.ts'
import { type Cursors, capturedOf, type Epochs } from './verify-epochs.ts'
import { type ExtraRow, Join, type Suspect } from './verify-join.ts'
import { emptyTally } from './verify-report.ts'
import type { VerifyWorld } from './verify-world.ts'

/** What one join is made of. */
export interface BatchParts {
  readonly living: readonly LivingShard[]
  /** Read when all shards were captured, or were waited for long enough. */
  readonly cursors: Cursors
  /** Read after the manifest. */
  readonly epochs: Epochs
  /** null: there is no snapshot. */
  readonly manifest: Manifest | null
  /** Of the promoted model; 0 when there is none. */
  readonly generation: number
  /** `living` are all shards that there are. */
  readonly isWhole: boolean
  readonly maxListed: number
  /** That Kafka takes. */
  readonly maxMessageBytes: number
  readonly deadReasons: () => Promise<DeadReasons>
  /** null: nothing is emitted. */
  readonly repair: Repair | null
  /** Of which no failover can bring back what was not found. */
  readonly settled: ReadonlySet<LivingShard>
}

/** What is known of a shard when its keys are forgotten. */
export type JudgedShard = Omit<LookedAt, 'table' | 'keyless'>

export interface BatchResult {
  readonly shards: readonly JudgedShard[]
  readonly extraOfTheDead: number
  /** Of any row of the snapshot. */
  readonly newestGeneration: number
  readonly findings: Findings
}

/** One join of some shards' living keys with the whole snapshot. May be done again with the same tables. */
export class BatchJoin {
  readonly #world: VerifyWorld
  readonly #parts: BatchParts
  readonly #findings: Findings
  readonly #shards: readonly BatchShard[]
  readonly #join: Join<BatchShard>
  readonly #secondLook: SecondLook<BatchShard>
  readonly #readAtMs: number
  #extraOfTheDead = 0

  constructor(world: VerifyWorld, parts: BatchParts) {
    const { scope, settings, client, clock } = world
    const { living, cursors, epochs, generation, deadReasons, repair, maxListed, maxMessageBytes } = parts
    this.#world = world
    this.#parts = parts
    this.#findings = new Findings(maxListed)
    this.#readAtMs = Math.min(clock.nowMs(), ...living.map(({ readAtMs }) => readAtMs))
    this.#shards = living.map((shard) => ({
      living: shard,
      ...shard,
      checkpoint: shard.view.globalCheckpoint,
      captured: capturedOf(cursors, shard.view, scope.hash),
      tally: emptyTally(),
    }))
    const context = { generation, isLiveEpoch: (epoch: number) => epochs.isLive(epoch) }
    this.#join = new Join({
      shards: this.#shards,
      context,
      isKeyOfOneIndex: scope.key === 'index/id',
      hasVersions: scope.versionField !== undefined,
    })
    this.#secondLook = new SecondLook({
      client,
      scope,
      maxPageBytes: settings.elasticsearch.maxPageBytes,
      clock,
      context,
      findings: this.#findings,
      isShadowed: (shard, key) => this.#isShadowed(shard, key),
      maxMessageBytes,
      deadReasons,
      repair,
    })
  }

  /** @throws as heldRows, readPage and Producer.send do */
  async run(signal: AbortSignal): Promise<BatchResult> {
    const { manifest } = this.#parts
    if (manifest !== null) await this.#joinRows(manifest, signal)
    for (const shard of this.#shards) {
      await this.#secondLook.atUnmet(shard, signal)
      await this.#secondLook.atKeyless(shard, signal)
      await nextTurn()
    }
    const shards = this.#shards.map(({ view, checkpoint, captured, tally }) => ({
      view,
      checkpoint,
      captured,
      tally,
    }))
    const { newestGeneration } = this.#join
    return { shards, extraOfTheDead: this.#extraOfTheDead, newestGeneration, findings: this.#findings }
  }

  async #joinRows(manifest: Manifest, signal: AbortSignal): Promise<void> {
    let suspects: Suspect<BatchShard>[] = []
    let rows = 0
    for await (const page of heldRows(this.#world.store, manifest, signal)) {
      const joined = this.#join.add(page)
      for (const key of joined.setAside) this.#findings.add('setAside', key)
      await this.#countExtras(joined.extras, signal)
      suspects = [...suspects, ...joined.suspects]
      if (suspects.length >= LOOK_AT_ONCE) {
        await this.#secondLook.atSuspects(suspects, signal)
        suspects = []
      }
      this.#world.onProgress(`comparing with the snapshot: ${(rows += page.count)} rows`)
    }
    await this.#secondLook.atSuspects(suspects, signal)
  }

  async #countExtras(extras: readonly ExtraRow<BatchShard>[], signal: AbortSignal): Promise<void> {
    const { repair } = this.#parts
    const dead: { key: Buffer; revision: Revision }[] = []
    for (const extra of extras) {
      const { shard, key } = extra
      if (shard === null) this.#extraOfTheDead++
      else shard.tally.extra++
      const revision = this.#tombstoneOf(extra)
      if (revision !== undefined) dead.push({ key, revision })
      // Only a repair has waited until what is not found is sure to be dead.
      if (revision !== undefined || (shard !== null && repair === null)) this.#findings.add('extra', key)
      else this.#findings.addBeyondRepair('extra', key, LEFT_TO_THE_SWEEP)
    }
    if (dead.length > 0) await repair?.bury(dead, this.#readAtMs, signal)
  }

  /** Through routing one `_id` lives in two shards of its index: the score is that of the higher version or epoch. */
  #isShadowed({ view, captured }: LookedAt, key: Buffer): boolean {
    const { scope } = this.#world
    if (scope.key !== 'index/id') return false
    return this.#shards.some((other) => {
      if (other.view === view || other.view.index !== view.index || other.captured === null) return false
      const isAbove = other.captured.epoch > captured!.epoch
      if (isAbove) return other.table.has(key, 0, key.length)
      return scope.versionField !== undefined && other.table.isMet(key, 0, key.length)
    })
  }

  #tombstoneOf({ shard, key, revision }: ExtraRow<BatchShard>) {
    const { settled, epochs, isWhole } = this.#parts
    if (shard === null) {
      const index = this.#world.scope.key === 'index/id' ? indexOf(key) : undefined
      const isBelowAll = revision.epoch < epochs.lowestLive(index)
      return isBelowAll ? tombstoneOfDeadEpoch(revision, { mayLive: !isWhole }) : undefined
    }
    return settled.has(shard.living) ? tombstoneInShard(revision, shard.checkpoint) : undefined
  }
}

const LEFT_TO_THE_SWEEP = 'not proved dead by this look alone: the poller deletes it by a later sweep'

interface BatchShard extends LookedAt {
  readonly living: LivingShard
}

/** Of a key `index/id`: an index has no slash in its name. */
function indexOf(key: Buffer): string {
  return key.toString().split('/', 1)[0]!
}
