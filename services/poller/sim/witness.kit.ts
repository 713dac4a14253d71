import type { ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { type Cursor, cursorKey } from '@freshet/records/cursor.ts'
import type { Revision } from '@freshet/records/revision.ts'
import type { Capture, Effect, Event } from '../capture/capture-state.ts'
import type { Effect as SweepEffect, Event as SweepEvent, SweptEvent } from '../sweep/sweep-state.ts'
import type { ClusterModel, Place } from './elasticsearch/cluster-model.kit.ts'
import type { Operation } from './elasticsearch/copy.kit.ts'
import { Hazards } from './hazards.kit.ts'
import { CURSOR_PARTITIONS, cursorPartition, type KafkaModel } from './kafka/kafka-model.kit.ts'
import { LateRows } from './late-rows.kit.ts'
import { nameOf, nameOfCursor, nameOfPrimary } from './names.kit.ts'
import { Promises } from './promises.kit.ts'

/** Of a poller's process, what is looked at in here. */
interface Watched {
  readonly name: string
  readonly kafka: KafkaModel
}

interface WatchedFlight {
  readonly task: { readonly key: string }
  readonly effect: Effect
}

/** Sees everything that happens: counts the hazards, tells the trace, and holds each step against the promises. */
export class Witness {
  readonly hazards = new Hazards()
  readonly trace: string[] = []
  readonly promises: Promises
  readonly lateRows = new LateRows()
  readonly #cluster: ClusterModel
  readonly #isTraced: boolean
  /** Whom the group has given a partition of `.cursors`. */
  readonly #ownerOf: (partition: number) => string | undefined
  /** By process: the primary terms as its look began. */
  readonly #termsSeen = new Map<string, ReadonlyMap<string, number>>()
  /** By process: shards whose keys its sweep reads or has read. */
  readonly #sweeping = new Map<string, Set<string>>()
  /** Of the last cursor on disk, by key. */
  readonly #writers = new Map<string, string>()

  constructor(
    cluster: ClusterModel,
    options: { isTraced: boolean; ownerOf: (partition: number) => string | undefined },
  ) {
    this.#cluster = cluster
    this.promises = new Promises(cluster)
    this.#isTraced = options.isTraced
    this.#ownerOf = options.ownerOf
  }

  tell(line: () => string): void {
    if (this.#isTraced) this.trace.push(line())
  }

  /** Something befalls a shard that may take operations away. */
  faced({ index, number, shard }: Place, what: string, fault: () => void): void {
    const key = cursorKey(index.uuid, number)
    const before = shard.answer
    const truth = new Map(shard.truth)
    fault()
    const after = shard.answer
    this.tell(() => `${key} (${index.name}) ${what}: ${nameOfPrimary(before)} → ${nameOfPrimary(after)}`)
    if (after.historyUuid !== before.historyUuid) return
    if (after.maxSeqNo < before.maxSeqNo) this.hazards.count('a failover rolled back operations')
    if (after.globalCheckpoint < before.globalCheckpoint)
      this.hazards.count('a new primary knew an older checkpoint')
    for (const operation of shard.truth.values()) {
      const hiding = truth.get(operation.id!)
      if (hiding !== undefined && hiding.seqNo > operation.seqNo) this.#resurfaced(key, operation, hiding)
    }
    this.promises.judge(key)
  }

  #resurfaced(key: string, operation: Operation, hiding: Operation): void {
    const cursor = this.promises.onDisk(key)
    if (cursor === undefined || operation.seqNo > cursor.seqNo) return
    if (hiding.kind === 'delete' && [...this.#sweeping.values()].some((keys) => keys.has(key)))
      this.hazards.count('a delete was rolled back during a sweep')
    if (!this.promises.hasEmitted(cursor.epoch, operation))
      this.hazards.count('an older version became current again below the cursor')
  }

  looking({ name }: Watched): void {
    const terms = this.#cluster.places.map(({ index, number, shard }) => {
      return [cursorKey(index.uuid, number), shard.answer.primaryTerm] as const
    })
    this.#termsSeen.set(name, new Map(terms))
  }

  looked({ name }: Watched, views: readonly ShardView[]): void {
    const terms = this.#termsSeen.get(name)
    for (const { identity, shard: number, maxSeqNo, globalCheckpoint } of views) {
      const shard = this.#cluster.shard(identity.indexUuid, number)!
      if (maxSeqNo > globalCheckpoint) this.hazards.count('the checkpoint lagged behind')
      if (shard.hasHole) this.hazards.count('a hole kept the checkpoint back')
      if (terms?.get(cursorKey(identity.indexUuid, number)) !== shard.answer.primaryTerm)
        this.hazards.count('a look was torn by a new primary')
    }
  }

  observed({ name }: Watched, before: Cursor, { cursor, phase }: Capture): void {
    if (cursor.epoch !== before.epoch) this.hazards.count('a new epoch began')
    else if (cursor.seqNo < before.seqNo) this.hazards.count('the shard was rewound')
    this.tell(() => `${name} begins ${nameOfCursor(cursor)} ${phase.kind}`)
  }

  outranked({ name }: Watched, key: string): void {
    this.hazards.count('an owner was outranked')
    this.tell(() => `${name} is outranked at ${key}`)
  }

  tookOver({ name }: Watched, cursor: Cursor): void {
    this.hazards.count('a shard was taken over from its saved cursor')
    this.tell(() => `${name} takes over ${nameOfCursor(cursor)}`)
  }

  searched(
    { index, number }: { index: string; number: number },
    { node, from, toSeqNo }: Extract<Effect, { kind: 'readPage' }>,
    visible: readonly Operation[] | undefined,
  ): void {
    if (visible === undefined) {
      this.hazards.count('a search found no shard to ask')
      return
    }
    if (this.#cluster.index(index)!.shards[number]!.answer.node !== node)
      this.hazards.count('a search was answered by a former primary')
    if (visible.some(({ seqNo }) => seqNo > toSeqNo))
      this.hazards.count('a search saw operations above the checkpoint')
    if (visible.some(({ seqNo }, i) => seqNo > from.seqNo && seqNo === visible[i + 1]?.seqNo))
      this.hazards.count('sequence numbers repeated')
  }

  gaveUpPage(): void {
    this.hazards.count('a page was too large')
  }

  ended({ name }: Watched, key: string, event: Event): void {
    this.tell(() => `${name} ${key} hears ${JSON.stringify(event)}`)
  }

  failed({ name }: Watched, { task, effect }: WatchedFlight, isDone: boolean): void {
    if (isDone && (effect.kind === 'save' || effect.kind === 'produce'))
      this.hazards.count('an answer of Kafka was lost')
    this.tell(() => `${name} ${task.key} ${effect.kind} fails${isDone ? ', but was done' : ''}`)
  }

  /** @param cursor under which the page was read */
  produced({ name, kafka }: Watched, cursor: Cursor, page: readonly Operation[]): void {
    const { identity, shard, index, epoch } = cursor
    const key = cursorKey(identity.indexUuid, shard)
    if (this.#ownerOf(cursorPartition(key)) !== name)
      this.hazards.count('a poller produced after another had taken over')
    if (epoch < (this.promises.onDisk(key)?.epoch ?? epoch)) {
      this.hazards.count('a write landed in a dead epoch')
      for (const { id } of page) this.lateRows.arrived(`${index}/${id}`, epoch, kafka.changes.endOffset - 1)
    }
    this.tell(() => `${name} ${key} emits ${page.map(nameOf).join(' ')} in epoch ${epoch}`)
    this.promises.emitted(cursor, page)
  }

  saved({ name }: Watched, key: string, cursor: Cursor): void {
    const writer = this.#writers.get(key)
    if (this.#ownerOf(cursorPartition(key)) !== name && writer !== undefined && writer !== name)
      this.hazards.count('a poller saved its cursor over that of the new owner')
    this.#writers.set(key, name)
    this.tell(() => `${name} saves ${nameOfCursor(cursor)}`)
    this.promises.saved(key, cursor)
  }

  sweeps({ name, kafka }: Watched, event: SweepEvent, effect: SweepEffect): void {
    const sweeping = this.#sweeping.get(name) ?? new Set()
    this.#sweeping.set(name, sweeping)
    if (effect.kind === 'rest') sweeping.clear()
    if (effect.kind === 'scan') sweeping.add(effect.target.key)
    if (event.kind === 'marked') this.lateRows.marked(name, kafka.changes.endOffset)
    if (effect.kind === 'join' && !effect.isComplete)
      this.hazards.count('a sweep went on with a snapshot that lagged')
    if (event.kind === 'joined' && event.tied.size > 0)
      this.hazards.count('a dead row could not be deleted yet')
    if (event.kind === 'looked' && effect.kind === 'rest') return
    this.tell(() => `${name} sweep ${event.kind} → ${JSON.stringify(effect)}`)
  }

  sweptFinally({ name }: Watched, key: string, event: SweptEvent): void {
    this.hazards.count('a sweep was final')
    this.lateRows.buried(name, event.buriedEpochs)
    this.tell(() => `${name} swept ${key} finally: ${JSON.stringify(event)}`)
  }

  buried({ name }: Watched, document: string, revision: Revision): void {
    this.hazards.count('a sweep found a dead row')
    if (this.#ownerOf(revision.epoch % CURSOR_PARTITIONS) !== name)
      this.hazards.count('a poller buried after another had taken over')
    this.tell(() => `${name} buries ${document} at ${JSON.stringify(revision)}`)
    this.promises.buried(document, revision)
  }

  forgot({ name }: Watched, key: string): void {
    this.hazards.count('a gone shard was forgotten')
    this.promises.forgotten(key)
    this.tell(() => `${name} forgets ${key}`)
  }
}
