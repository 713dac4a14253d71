import type { Client } from '@elastic/elasticsearch'
import { refresh } from '@freshet/adapters/elasticsearch/read-page.ts'
import { readShards, type ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import type { Producer } from '@freshet/adapters/kafka/producer.ts'
import { changeToMessage } from '@freshet/capture/change-to-message.ts'
import { type Scope, scopeOf } from '@freshet/capture/scope.ts'
import type { Settings } from '@freshet/config/schema.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { heldRows } from '@freshet/reconcile/held-rows.ts'
import { readLiveKeys } from '@freshet/reconcile/live-keys.ts'
import type { LiveTable } from '@freshet/reconcile/live-table.ts'
import { Pace } from '@freshet/reconcile/pace.ts'
import { readCursors } from '@freshet/reconcile/read-cursors.ts'
import { Watermark } from '@freshet/reconcile/watermark.ts'
import type { TraceContext } from '@freshet/records/change.ts'
import { cursorKey, isSamePrimary } from '@freshet/records/cursor.ts'
import type { Manifest } from '@freshet/records/manifest.ts'
import { topicName } from '@freshet/records/topics.ts'
import type { StageReport } from '@freshet/service/service.ts'
import { readManifest } from '@freshet/snapshot/manifest.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { TracedChanges } from '../capture/traced-changes.ts'
import type { TrackedShards } from '../sharing/tracked-shards.ts'
import type { Captured } from './dead-epochs.ts'
import { DeadRows, type Tombstone } from './dead-rows.ts'
import type { Effect, Event } from './sweep-state.ts'

export interface SweepWorld {
  readonly settings: Settings
  readonly client: Client
  readonly connection: KafkaConnection
  readonly producer: Producer
  readonly store: ObjectStore
  readonly telemetry: Telemetry
  readonly clock: Clock
  readonly report: StageReport
  /** Stops the sweep; tombstones on their way are still acknowledged before `grace` aborts. */
  readonly signal: AbortSignal
  readonly grace: AbortSignal
}

/** What one sweep has done so far. */
export interface Tally {
  livingKeys: number
  heldRows: number
  tombstones: number
}

/** What remains to be done, and cannot be. */
export type Outcome = Pick<EffectOf<'finish'>, 'left' | 'waiting'>

type EffectOf<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>

/** Performs what sweep.ts decides in one sweep, and holds its tables meanwhile. */
export class SweepEffects {
  /** Of all pollers, as they were last read. */
  cursors: Captured['cursors']
  /** Of a round that came to its end. */
  outcome: Outcome | undefined
  readonly tally: Tally = { livingKeys: 0, heldRows: 0, tombstones: 0 }
  readonly #world: SweepWorld
  readonly #shards: TrackedShards
  readonly #scope: Scope
  readonly #trace: TraceContext | null
  readonly #pace: Pace
  readonly #tables = new Map<string, { readonly table: LiveTable; readonly readAtMs: number }>()
  #watermark: Watermark | undefined
  #manifest: Manifest | null = null

  /** @param trace the span of the sweep, which its tombstones carry on. */
  constructor(world: SweepWorld, shards: TrackedShards, trace: TraceContext | null) {
    this.#world = world
    this.#shards = shards
    this.#scope = scopeOf(world.settings.elasticsearch)
    this.#trace = trace
    this.#pace = new Pace(world.clock, WORK_SHARE)
  }

  async perform(effect: Exclude<Effect, { kind: 'rest' }>): Promise<Event> {
    const { clock } = this.#world
    switch (effect.kind) {
      case 'scan': {
        const tableBytes = await this.#scan(effect)
        return { kind: 'scanned', nowMs: clock.nowMs(), tableBytes }
      }
      case 'look': {
        const captured = await this.#look(effect)
        return { kind: 'looked', nowMs: clock.nowMs(), ...captured }
      }
      case 'mark':
        this.#watermark = await Watermark.now(this.#watermarkWorld(), this.#world.signal)
        return { kind: 'marked', nowMs: clock.nowMs() }
      case 'checkStored': {
        const isReached = await this.#checkStored(effect)
        return { kind: 'stored', nowMs: clock.nowMs(), isReached }
      }
      case 'join': {
        const tied = await this.#join(effect)
        return { kind: 'joined', nowMs: clock.nowMs(), tied }
      }
      case 'finish':
        await this.#finish(effect)
        return { kind: 'finished', nowMs: clock.nowMs() }
    }
  }

  async #scan({ target, maxTableBytes }: EffectOf<'scan'>): Promise<number | null> {
    const { client, clock, report, settings, telemetry, signal } = this.#world
    const { key, index, shard, identity } = target
    await refresh(client, index, signal)
    const readAtMs = clock.nowMs()
    const place = { index, shard, node: identity.node }
    const live = await readLiveKeys(client, place, {
      scope: this.#scope,
      maxTableBytes: maxTableBytes ?? Number.POSITIVE_INFINITY,
      pace: this.#pace,
      signal,
      onPage: (documents) => report.progressed('sweep', documents),
    })
    if (live === undefined) return null
    const { bytes } = live
    if (bytes > settings.sweep.maxMemoryBytes)
      telemetry.log.warn(
        `the keys of ${index}/${shard} alone take ${bytes} bytes, more than sweep.maxMemoryBytes`,
      )
    const table = await live.seal()
    this.#tables.set(key, { table, readAtMs })
    this.tally.livingKeys += table.size
    return bytes
  }

  /** The shards as they are tracked, as they stand by a look of our own. */
  async #look({ afterMs, withCursors }: EffectOf<'look'>): Promise<Captured> {
    const { client, clock, connection, settings, signal } = this.#world
    await clock.sleep(afterMs, signal)
    const cursors = withCursors ? await readCursors(connection, settings.pipeline, signal) : undefined
    const known = new Map(this.#shards.shards().map(({ key, cursor }) => [key, cursor.identity]))
    const { readable } = await readShards(client, settings.elasticsearch.index, signal)
    const views = new Map<string, ShardView>()
    for (const view of readable) {
      const key = cursorKey(view.identity.indexUuid, view.shard)
      const primary = known.get(key)
      if (primary !== undefined && isSamePrimary(primary, view.identity)) views.set(key, view)
    }
    // Named one by one: a shard is an object of a class, whose getters a spread leaves out.
    const shards = this.#shards.shards().map(({ key, partition, cursor, isGone, hasCompletedFirstScan }) => {
      return { key, partition, cursor, isGone, hasCompletedFirstScan, view: views.get(key) }
    })
    this.cursors = cursors ?? this.cursors
    return { shards, cursors }
  }

  async #checkStored({ afterMs }: EffectOf<'checkStored'>): Promise<boolean> {
    const { clock, signal } = this.#world
    await clock.sleep(afterMs, signal)
    const progress = await this.#watermark!.look(signal)
    if (progress.kind !== 'reached') return false
    this.#manifest = progress.manifest
    return true
  }

  async #join({ targets, deadEpochs, isComplete }: EffectOf<'join'>): Promise<ReadonlySet<string>> {
    const { store, report, signal, clock, settings } = this.#world
    const manifest = isComplete
      ? this.#manifest
      : ((await readManifest(store, settings.pipeline, signal))?.manifest ?? null)
    const living = targets.map((target) => ({
      ...target,
      table: this.#tables.get(target.key)!.table,
    }))
    const deadAtMs = Math.min(clock.nowMs(), ...targets.map(({ key }) => this.#tables.get(key)!.readAtMs))
    const dead = new DeadRows(living, deadEpochs)
    const found: Tombstone[] = []
    for await (const page of manifest === null ? [] : heldRows(store, manifest, signal)) {
      found.push(...dead.find(page))
      this.tally.heldRows += page.count
      report.progressed('sweep', page.count)
      if (found.length >= MIN_SENT_TOMBSTONES) await this.#send(found.splice(0), deadAtMs)
      await this.#pace.rest(signal)
    }
    await this.#send(found, deadAtMs)
    return dead.tied
  }

  async #send(tombstones: readonly Tombstone[], capturedAtMs: number): Promise<void> {
    const { producer, settings, telemetry, clock, grace } = this.#world
    const traced = new TracedChanges(telemetry.traced, clock.nowMs())
    const messages = tombstones.map((tombstone) => {
      const change = { ...tombstone, capturedAtMs, source: null, trace: this.#trace }
      traced.see(change)
      return changeToMessage(change, settings.kafka.partitions)
    })
    await producer.send(topicName(settings.pipeline, 'changes'), messages, grace)
    traced.leave(this.#trace, clock.nowMs())
    this.tally.tombstones += messages.length
    telemetry.metrics.add('freshet.sweep.tombstones', messages.length)
  }

  async #finish({ swept, forget, left, waiting }: EffectOf<'finish'>): Promise<void> {
    for (const { key, event } of swept) this.#shards.swept(key, event)
    for (const key of forget) await this.#shards.forget(key, this.#world.grace)
    this.outcome = { left, waiting }
  }

  #watermarkWorld() {
    const { connection, store, settings } = this.#world
    return { connection, store, pipeline: settings.pipeline }
  }
}

/** The rest is left to capture, and to Elasticsearch. */
const WORK_SHARE = 0.5
/** With those of one more page (4,096 rows) this is what is held at most. */
const MIN_SENT_TOMBSTONES = 1_000
