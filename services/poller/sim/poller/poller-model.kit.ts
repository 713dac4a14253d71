import { joinViews, type ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import type { Observed } from '../../capture/capture-state.ts'
import type { HeldShard } from '../../sharing/held-shard.ts'
import { ShardTable } from '../../sharing/shard-table.ts'
import type { ClusterModel } from '../elasticsearch/cluster-model.kit.ts'
import { ChoreModel } from './chore-model.kit.ts'
import { LIMITS } from './limits.kit.ts'
import type { Flight, Process, Task } from './process.kit.ts'
import { ScanModel } from './scan-model.kit.ts'
import { SweepModel } from './sweep-model.kit.ts'

const GONE_GRACE_MS = 1_000

/**
 * A poller's process. Real is every decision: about a shard (capture.ts), about what is held and seen of it
 * (held-shard.ts, shard-table.ts), about deletes (sweep.ts, dead-rows.ts), and the join of both views of Elasticsearch.
 * Modelled is what waits: the loop around them, and the consumer of `.cursors`.
 */
export class PollerModel {
  readonly process: Process
  readonly table = new ShardTable()
  readonly sweep: SweepModel
  pausedAtMs: number | undefined
  readonly #tasks = new Map<string, Task>()
  /** Next offset of `.cursors` to read. */
  readonly #offsets = new Map<number, number>()
  #firstAnswer: (Partial<Answers> & { readonly look: number }) | undefined

  constructor(process: Process) {
    this.process = process
    this.sweep = new SweepModel(process, this.table)
  }

  get isPaused(): boolean {
    return this.pausedAtMs !== undefined
  }

  get partitions(): readonly number[] {
    return [...this.#offsets.keys()]
  }

  /** What may end next: anything that is under way. */
  get flights(): Flight[] {
    return [...this.#tasks.values()].flatMap(({ flights }) => flights)
  }

  /** A partition is its own from now on: its cursors are read from the beginning. */
  take(partition: number): void {
    const log = this.process.kafka.cursors[partition]!
    this.table.assign(partition)
    for (const { key, value } of this.process.rules.takeOver(log.from(0)))
      this.table.read(partition, key, value)
    this.table.know(partition)
    this.#offsets.set(partition, log.endOffset)
    for (const { partition: at, cursor } of this.table.shards())
      if (at === partition) this.process.witness.tookOver(this.process, cursor)
  }

  /** A partition belongs to another: its shards are dropped where they stand. @returns what was under way */
  leave(partition: number): readonly Flight[] {
    const left = [...this.table.shards()].filter((shard) => shard.partition === partition)
    this.table.revoke(partition)
    this.#offsets.delete(partition)
    const flights = left.flatMap(({ key }) => this.#tasks.get(key)?.flights ?? [])
    for (const { key } of left) this.#tasks.delete(key)
    return flights
  }

  /** Reads on in `.cursors`, its own records and those of others. */
  readCursors(): void {
    const { kafka, rules, witness } = this.process
    for (const [partition, offset] of rules.heedsOthers ? this.#offsets : []) {
      const log = kafka.cursors[partition]!
      for (const { key, value } of log.from(offset)) {
        const known = this.table.get(key)?.state.cursor.epoch
        if (known !== undefined && (value?.epoch ?? 0) > known) witness.outranked(this.process, key)
        this.table.read(partition, key, value)
      }
      this.#offsets.set(partition, log.endOffset)
    }
  }

  /** Reads statistics or state, whichever comes first; the other the next time, and things happen in between. */
  look(): void {
    const { cluster, rules, witness, nowMs } = this.process
    if (this.#firstAnswer === undefined) {
      witness.looking(this.process)
      const answer = rules.readsStatisticsFirst ? { stats: cluster.stats() } : { state: cluster.state() }
      this.#firstAnswer = { ...answer, look: this.table.beginLook() }
      return
    }
    const { stats = cluster.stats(), state = cluster.state(), look } = this.#firstAnswer
    this.#firstAnswer = undefined
    const view = joinViews(state, stats)
    witness.looked(this.process, view.readable)
    const asOf = rules.looksAnewAfterAScan ? look : this.table.looksBegun + 1
    this.table.see(view, asOf, { nowMs: nowMs(), isCapturable: () => true })
    for (const shard of [...this.table.shards()]) this.#workOn(shard)
  }

  /** A scan that takes long makes room for others. */
  yield(): void {
    for (const task of this.#tasks.values()) if (task instanceof ScanModel) task.yield()
  }

  /** Everything that can be done now, one after the other. */
  catchUp(): void {
    this.readCursors()
    this.look()
    this.look()
    for (let [flight] = this.flights; flight !== undefined; [flight] = this.flights)
      flight.task.complete(flight)
    while (this.sweep.hasWork) {
      this.readCursors()
      this.sweep.goOn()
    }
  }

  #workOn(shard: HeldShard): void {
    const now = this.process.nowMs()
    if (shard.isDying(now, GONE_GRACE_MS)) this.#die(shard)
    else if (shard.isToBeSaved && shard.mayTry(now)) this.#saveAgain(shard)
    else if (shard.seen !== undefined && shard.mayTry(now)) this.#scan(shard)
  }

  #scan(shard: HeldShard): void {
    const { rules, witness } = this.process
    const view = shard.seen!
    const seen = (newEpoch: number) => this.#observed(view, newEpoch)
    const [settled, effects] = rules.step(shard.state, seen(this.#epochOf(shard, false)), LIMITS)
    if (effects.length === 0) {
      shard.accept(settled)
      return
    }
    const before = shard.state
    const scan = new ScanModel(this.process, shard.key, view, before, () => {
      this.#tasks.delete(shard.key)
      shard.endScan(scan.state, this.table.looksBegun)
    })
    shard.beginScan(scan, scan.stop)
    this.#tasks.set(shard.key, scan)
    scan.begin(seen(this.#epochOf(shard, true)))
    witness.observed(this.process, before.cursor, scan.state)
  }

  #observed({ index, shard, identity, globalCheckpoint, maxSeqNo }: ShardView, newEpoch: number): Observed {
    const { rules, scope, cluster } = this.process
    const highestVisible = () => cluster.search(index, shard, identity.node)?.at(-1)?.seqNo ?? -1
    const seen = { identity, globalCheckpoint, maxSeqNo, scope, newEpoch }
    return rules.see({ kind: 'observed', ...seen }, highestVisible)
  }

  #die(shard: HeldShard): void {
    const state = shard.state
    const { rules } = this.process
    const [dying] = rules.step(state, { kind: 'gone', newEpoch: this.#epochOf(shard, true) }, LIMITS)
    this.#chore(shard, { state, written: dying }, (isSaved) => {
      if (isSaved) shard.dies()
      else shard.mustSave = true
      return isSaved ? rules.step(dying, { kind: 'saved' }, LIMITS)[0] : state
    })
  }

  #saveAgain(shard: HeldShard): void {
    const { state } = shard
    shard.mustSave = false
    this.#chore(shard, { state, written: state }, (isSaved) => {
      if (!isSaved) shard.mustSave = true
      return state
    })
  }

  #chore(
    shard: HeldShard,
    states: ConstructorParameters<typeof ChoreModel>[2],
    after: (isSaved: boolean) => Parameters<HeldShard['endScan']>[0],
  ): void {
    const chore = new ChoreModel(this.process, shard.key, states, (isSaved) => {
      this.#tasks.delete(shard.key)
      shard.endScan(after(isSaved), this.table.looksBegun)
    })
    shard.beginScan(chore, new AbortController())
    this.#tasks.set(shard.key, chore)
  }

  #epochOf({ partition }: HeldShard, isTaken: boolean): number {
    const { nowMs, skewMs, rules } = this.process
    const now = nowMs() + skewMs
    const epoch = isTaken ? this.table.takeEpoch(partition, now) : this.table.nextEpoch(partition, now)
    return rules.epoch(epoch)
  }
}

interface Answers {
  readonly stats: ReturnType<ClusterModel['stats']>
  readonly state: ReturnType<ClusterModel['state']>
}
