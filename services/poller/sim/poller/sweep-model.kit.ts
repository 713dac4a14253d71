import { Buffer } from 'node:buffer'
import { joinViews, type ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { cursorKey, isSamePrimary } from '@freshet/records/cursor.ts'
import type { ShardTable } from '../../sharing/shard-table.ts'
import type { TrackedShard } from '../../sharing/tracked-shard.ts'
import { DeadRows, type Tombstone } from '../../sweep/dead-rows.ts'
import { newSweep } from '../../sweep/sweep.ts'
import type { Effect, Event, Limits, Sweep } from '../../sweep/sweep-state.ts'
import { cursorPartition } from '../kafka/kafka-model.kit.ts'
import { type HeldRow, pageOf } from '../kafka/store-model.kit.ts'
import type { Process } from './process.kit.ts'

type EffectOf<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>

export const SWEEP_LIMITS: Omit<Limits, 'scope'> = {
  pauseMs: 200,
  maxAgeMs: 100_000_000,
  maxTableBytes: 1_000,
  settleMs: 10_000,
  storeMs: 10_000,
  isKeyInDocument: false,
  isKeyOfOneIndex: true,
}
const PAGE_ROWS = 2
const KEY_BYTES = 14

/**
 * The sweeps of one process. Real are the decisions (sweep.ts) and the search for dead rows (dead-rows.ts); what
 * sweep-effects.ts does at length is done here in small pieces, so that anything may happen between two of them.
 */
export class SweepModel {
  readonly #process: Process
  readonly #table: ShardTable
  #sweep: Sweep
  #effect: Effect
  #waitsUntilMs = 0
  #work: Generator<undefined, Event> | undefined
  /** Keys that live, by shard. */
  readonly #living = new Map<string, ReadonlySet<string>>()
  #markedOffset = 0
  #rows: readonly HeldRow[] = []

  constructor(process: Process, table: ShardTable) {
    this.#process = process
    this.#table = table
    const [sweep, effect] = newSweep()
    this.#sweep = sweep
    this.#effect = effect
  }

  /** Nothing is waited for. */
  get hasWork(): boolean {
    return this.#process.nowMs() >= this.#waitsUntilMs
  }

  /** Does the next small piece of what is to be done. */
  goOn(): void {
    const { nowMs } = this.#process
    if (!this.hasWork) return
    if (this.#effect.kind === 'rest') {
      this.#feed({ kind: 'looked', nowMs: nowMs(), shards: this.#shards() })
      return
    }
    this.#work ??= this.#perform(this.#effect)
    const { done, value } = this.#work.next()
    if (done) this.#feed(value)
  }

  /** The piece under way fails, and with it the sweep. */
  fail(): void {
    if (this.#effect.kind !== 'rest') this.#feed({ kind: 'failed', nowMs: this.#process.nowMs() })
  }

  #feed(event: Event): void {
    const { witness, rules, scope, nowMs } = this.#process
    this.#work?.return({ kind: 'failed', nowMs: nowMs() })
    this.#work = undefined
    const [sweep, effect] = rules.sweep(this.#sweep, event, { ...SWEEP_LIMITS, scope })
    this.#sweep = sweep
    this.#effect = effect
    this.#waitsUntilMs = nowMs() + waitOf(effect)
    if (effect.kind === 'rest') this.#living.clear()
    witness.sweeps(this.#process, event, effect)
  }

  *#perform(effect: Exclude<Effect, { kind: 'rest' }>): Generator<undefined, Event> {
    const { kafka, store, nowMs } = this.#process
    switch (effect.kind) {
      case 'scan':
        return yield* this.#scan(effect)
      case 'look':
        return yield* this.#look()
      case 'mark':
        this.#markedOffset = kafka.changes.endOffset
        return { kind: 'marked', nowMs: nowMs() }
      case 'checkStored': {
        const isReached = store.snapshotOffset >= this.#markedOffset
        if (isReached) this.#rows = store.snapshot()
        return { kind: 'stored', nowMs: nowMs(), isReached }
      }
      case 'join':
        return yield* this.#join(effect)
      case 'finish':
        return yield* this.#finish(effect)
    }
  }

  /** By rising number, each page a search of its own. */
  *#scan({ target, maxTableBytes }: EffectOf<'scan'>): Generator<undefined, Event> {
    const { cluster, scope, nowMs } = this.#process
    const failed = () => ({ kind: 'failed', nowMs: nowMs() }) as const
    if (!cluster.refresh(target.index)) return failed()
    yield
    const living = new Set<string>()
    for (let from = -1; ; ) {
      const visible = cluster.search(target.index, target.shard, target.identity.node)
      if (visible === undefined) return failed()
      const ahead = visible.filter(({ seqNo }) => seqNo >= from)
      const page = ahead.filter(({ seqNo }, row) => row < PAGE_ROWS || seqNo === ahead[PAGE_ROWS - 1]!.seqNo)
      for (const { id, kind } of page)
        if (kind === 'document' || scope === 'all') living.add(`${target.index}/${id}`)
      if (page.length === ahead.length) break
      from = page.at(-1)!.seqNo + 1
      yield
    }
    const tableBytes = KEY_BYTES * living.size
    if (maxTableBytes !== null && tableBytes > maxTableBytes)
      return { kind: 'scanned', nowMs: nowMs(), tableBytes: null }
    this.#living.set(target.key, living)
    return { kind: 'scanned', nowMs: nowMs(), tableBytes }
  }

  *#look(): Generator<undefined, Event> {
    const { cluster, nowMs } = this.#process
    const known = new Map(this.#shards().map(({ key, cursor }) => [key, cursor.identity]))
    const stats = cluster.stats()
    yield
    const views = new Map<string, ShardView>()
    for (const view of joinViews(cluster.state(), stats).readable) {
      const key = cursorKey(view.identity.indexUuid, view.shard)
      const primary = known.get(key)
      if (primary !== undefined && isSamePrimary(primary, view.identity)) views.set(key, view)
    }
    const shards = this.#shards().map(({ key, partition, cursor, isGone, hasCompletedFirstScan }) => {
      return { key, partition, cursor, isGone, hasCompletedFirstScan, view: views.get(key) }
    })
    return { kind: 'looked', nowMs: nowMs(), shards }
  }

  *#join({ targets, deadEpochs, isComplete }: EffectOf<'join'>): Generator<undefined, Event> {
    const { store, nowMs } = this.#process
    const dead = new DeadRows(
      targets.map((target) => {
        const living = this.#living.get(target.key)!
        const has = (bytes: Uint8Array, from: number, to: number) =>
          living.has(Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString())
        return { ...target, table: { has } }
      }),
      deadEpochs,
    )
    const rows = isComplete ? this.#rows : store.snapshot()
    const tombstones = dead.find(pageOf(rows))
    for (const tombstone of tombstones) {
      yield
      this.#bury(tombstone)
    }
    return { kind: 'joined', nowMs: nowMs(), tied: dead.tied }
  }

  *#finish({ swept, forget }: EffectOf<'finish'>): Generator<undefined, Event> {
    const { witness, nowMs } = this.#process
    for (const { key, event } of swept) {
      const shard = this.#table.get(key)
      if (shard === undefined) continue
      shard.tell(event)
      shard.mustSave = true
      witness.sweptFinally(this.#process, key, event)
    }
    for (const key of forget) yield* this.#forget(key)
    return { kind: 'finished', nowMs: nowMs() }
  }

  *#forget(key: string): Generator<undefined, void> {
    const { kafka, witness, name, nowMs } = this.#process
    const shard = this.#table.get(key)
    if (!shard?.isBuried || shard.isScanning) return
    const { state } = shard
    shard.beginScan({ state }, new AbortController())
    try {
      yield
      kafka.cursors[cursorPartition(key)]!.append({ key, value: null, writer: name, atMs: nowMs() })
      witness.forgot(this.#process, key)
    } finally {
      shard.endScan(state, this.#table.looksBegun)
    }
  }

  #bury({ key, revision }: Tombstone): void {
    const { kafka, witness, name, nowMs } = this.#process
    const value = { revision, isDelete: true }
    kafka.changes.append({ key: key.toString(), value, writer: name, atMs: nowMs() })
    witness.buried(this.#process, key.toString(), revision)
  }

  #shards(): readonly TrackedShard[] {
    return [...this.#table.shards()].filter(({ isKnown }) => isKnown)
  }
}

function waitOf(effect: Effect): number {
  if (effect.kind === 'rest') return effect.forMs
  return effect.kind === 'look' || effect.kind === 'checkStored' ? effect.afterMs : 0
}
