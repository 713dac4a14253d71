import type { ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { type Cursor, cursorKey } from '@freshet/records/cursor.ts'
import type { Revision } from '@freshet/records/revision.ts'
import type { Capture, Effect, Event } from '../capture/capture.ts'
import type { Effect as SweepEffect, Event as SweepEvent, SweptEvent } from '../sweep/sweep.ts'
import type { ClusterModel, Place } from './elasticsearch/cluster-model.kit.ts'
import type { Operation } from './elasticsearch/copy.kit.ts'
import type { ShardModel } from './elasticsearch/shard-model.kit.ts'
import type { Hazards } from './hazards.kit.ts'
import { cursorPartition } from './kafka/kafka-model.kit.ts'
import type { Flight, Process } from './poller/process.kit.ts'
import { LIMITS } from './poller/scan-model.kit.ts'

/**
 * Sees everything that happens: counts the hazards, tells the trace, and holds each step against what must be true at
 * any moment, whatever has failed.
 */
export class Witness {
  readonly trace: string[] = []
  /** The first promise that was broken; the world stops there. */
  broken: string | undefined
  readonly #cluster: ClusterModel
  readonly #hazards: Hazards
  readonly #isTraced: boolean
  /** Whom the group has given a partition of `.cursors`. */
  readonly #ownerOf: (partition: number) => string | undefined
  readonly #termsSeen = new Map<string, ReadonlyMap<string, number>>()
  /** By epoch: what stands in `.changes`. */
  readonly #emitted = new Map<number, Set<string>>()
  /** By key: the last cursor on disk, and who wrote it. */
  readonly #onDisk = new Map<string, { readonly cursor: Cursor; readonly writer: string }>()

  constructor(
    cluster: ClusterModel,
    hazards: Hazards,
    options: { isTraced: boolean; ownerOf: (partition: number) => string | undefined },
  ) {
    this.#cluster = cluster
    this.#hazards = hazards
    this.#isTraced = options.isTraced
    this.#ownerOf = options.ownerOf
  }

  tell(line: () => string): void {
    if (this.#isTraced) this.trace.push(line())
  }

  /** Something befalls a shard that may take operations away. */
  faced({ index, number, shard }: Place, what: string, fault: () => void): void {
    const before = { ...shard.answer, truth: new Map(shard.truth) }
    fault()
    const after = shard.answer
    this.tell(() => `${index.name}/${number} ${what}: ${describe(before)} → ${describe(after)}`)
    if (after.historyUuid !== before.historyUuid) return
    if (after.maxSeqNo < before.maxSeqNo) this.#hazards.count('a failover rolled back operations')
    if (after.globalCheckpoint < before.globalCheckpoint)
      this.#hazards.count('a new primary knew an older checkpoint')
    const disk = this.#onDisk.get(cursorKey(index.uuid, number))
    if (disk === undefined) return
    for (const operation of shard.truth.values())
      if (
        operation.seqNo < (before.truth.get(operation.id!)?.seqNo ?? -1) &&
        operation.seqNo <= disk.cursor.seqNo &&
        !this.#hasEmitted(disk.cursor.epoch, operation)
      )
        this.#hazards.count('an older version became current again below the cursor')
    this.#judge(disk.cursor, shard)
  }

  looking(poller: Process): void {
    const terms = this.#cluster.places.map(({ index, number, shard }) => {
      return [cursorKey(index.uuid, number), shard.answer.primaryTerm] as const
    })
    this.#termsSeen.set(poller.name, new Map(terms))
  }

  looked(poller: Process, views: readonly ShardView[]): void {
    const terms = this.#termsSeen.get(poller.name)
    for (const { identity, shard, maxSeqNo, globalCheckpoint } of views) {
      if (maxSeqNo > globalCheckpoint) this.#hazards.count('the checkpoint lagged behind')
      const { primaryTerm } = this.#cluster.shard(identity.indexUuid, shard)!.answer
      if (terms?.get(cursorKey(identity.indexUuid, shard)) !== primaryTerm)
        this.#hazards.count('a look was torn by a new primary')
    }
  }

  observed(poller: Process, before: Cursor, { cursor, phase }: Capture): void {
    if (cursor.epoch !== before.epoch) this.#hazards.count('a new epoch began')
    else if (cursor.seqNo < before.seqNo) this.#hazards.count('the shard was rewound')
    this.tell(() => `${poller.name} scans ${describeCursor(cursor)} ${phase.kind}`)
  }

  outranked(poller: Process, key: string): void {
    this.#hazards.count('an owner was outranked')
    this.tell(() => `${poller.name} is outranked at ${key}`)
  }

  tookOver(poller: Process, cursor: Cursor): void {
    this.#hazards.count('a shard was taken over from its saved cursor')
    this.tell(() => `${poller.name} takes over ${describeCursor(cursor)}`)
  }

  searched(
    { index, number }: { index: string; number: number },
    { node, from, toSeqNo }: Extract<Effect, { kind: 'readPage' }>,
    visible: readonly Operation[] | undefined,
  ): void {
    if (visible === undefined) {
      this.#hazards.count('a search found no shard to ask')
      return
    }
    const shard = this.#cluster.index(index)!.shards[number]!
    if (shard.answer.node !== node) this.#hazards.count('a search was answered by a former primary')
    if (visible.some(({ seqNo }) => seqNo > toSeqNo))
      this.#hazards.count('a search saw operations above the checkpoint')
    if (visible.some(({ seqNo }, i) => seqNo > from.seqNo && seqNo === visible[i + 1]?.seqNo))
      this.#hazards.count('sequence numbers repeated')
  }

  gaveUpPage(): void {
    this.#hazards.count('a page was too large')
  }

  ended(poller: Process, key: string, event: Event): void {
    this.tell(() => `${poller.name} ${key} hears ${JSON.stringify(event)}`)
  }

  failed(poller: Process, { task, effect }: Flight, isDone: boolean): void {
    if (isDone && (effect.kind === 'save' || effect.kind === 'produce'))
      this.#hazards.count('an answer of Kafka was lost')
    this.tell(() => `${poller.name} ${task.key} ${effect.kind} fails${isDone ? ', but was done' : ''}`)
  }

  /** @param cursor under which the page was read */
  produced(poller: Process, cursor: Cursor, page: readonly Operation[]): void {
    const key = cursorKey(cursor.identity.indexUuid, cursor.shard)
    if (this.#ownerOf(cursorPartition(key)) !== poller.name)
      this.#hazards.count('a poller produced after another had taken over')
    const emitted = this.#emitted.get(cursor.epoch) ?? new Set()
    this.#emitted.set(cursor.epoch, emitted)
    for (const operation of page) emitted.add(nameOf(operation))
    this.tell(() => `${poller.name} ${key} emits ${page.map(nameOf).join(' ')} in epoch ${cursor.epoch}`)
    const shard = this.#shardOf(cursor)
    const above = page.find(({ seqNo }) => seqNo > (shard?.promisedCheckpoint ?? seqNo))
    if (above !== undefined)
      this.#break(`${key} emitted ${nameOf(above)}, above the checkpoint ${shard!.promisedCheckpoint}`)
  }

  saved(poller: Process, key: string, cursor: Cursor): void {
    const there = this.#onDisk.get(key)
    if (
      this.#ownerOf(cursorPartition(key)) !== poller.name &&
      there !== undefined &&
      there.writer !== poller.name
    )
      this.#hazards.count('a poller saved its cursor over that of the new owner')
    this.#onDisk.set(key, { cursor, writer: poller.name })
    this.tell(() => `${poller.name} saves ${describeCursor(cursor)}`)
    if (cursor.windows.length > LIMITS.maxWindows) this.#break(`${key} has ${cursor.windows.length} windows`)
    const shard = this.#shardOf(cursor)
    if (shard === undefined) return
    if (cursor.seqNo > shard.promisedCheckpoint)
      this.#break(`${key} is at ${cursor.seqNo}, beyond the checkpoint ${shard.promisedCheckpoint}`)
    this.#judge(cursor, shard)
  }

  swept(poller: Process, event: SweepEvent, effect: SweepEffect): void {
    if (event.kind === 'looked' && effect.kind === 'rest') return
    this.tell(() => `${poller.name} sweep ${event.kind} → ${JSON.stringify(effect)}`)
  }

  sweptFinally(poller: Process, key: string, event: SweptEvent): void {
    this.#hazards.count('a sweep was final')
    this.tell(() => `${poller.name} swept ${key} finally: ${JSON.stringify(event)}`)
  }

  buried(poller: Process, key: string, revision: Revision): void {
    this.#hazards.count('a sweep found a dead row')
    this.tell(() => `${poller.name} buries ${key} at ${JSON.stringify(revision)}`)
  }

  forgot(poller: Process, key: string): void {
    this.#hazards.count('a gone shard was forgotten')
    this.#onDisk.delete(key)
    this.tell(() => `${poller.name} forgets ${key}`)
  }

  /** Whoever goes on from this cursor must find, in what it reads again or in `.changes`, all that lives. */
  #judge(cursor: Cursor, shard: ShardModel): void {
    const { node, allocationId, primaryTerm, historyUuid } = shard.answer
    const { identity, windows } = cursor
    if (identity.historyUuid !== historyUuid) return
    const isSame =
      identity.node === node && identity.allocationId === allocationId && identity.primaryTerm === primaryTerm
    const goesOnFrom = isSame
      ? cursor.seqNo
      : Math.min(cursor.seqNo, ...windows.map(({ startSeqNo }) => startSeqNo))
    for (const operation of shard.truth.values())
      if (
        operation.kind !== 'delete' &&
        operation.seqNo <= goesOnFrom &&
        !this.#hasEmitted(cursor.epoch, operation)
      )
        this.#break(`${describeCursor(cursor)} on disk claims ${nameOf(operation)}, which was never emitted`)
  }

  /** The shard as long as it has the history of the cursor. */
  #shardOf({ shard: number, identity }: Cursor): ShardModel | undefined {
    const shard = this.#cluster.shard(identity.indexUuid, number)
    return shard?.answer.historyUuid === identity.historyUuid ? shard : undefined
  }

  #hasEmitted(epoch: number, operation: Operation): boolean {
    return this.#emitted.get(epoch)?.has(nameOf(operation)) === true
  }

  #break(what: string): void {
    this.tell(() => `!! ${what}`)
    this.broken ??= what
  }
}

function nameOf({ id, seqNo, primaryTerm }: Operation): string {
  return `${id}@${seqNo}/${primaryTerm}`
}

function describe({ node, primaryTerm, globalCheckpoint, maxSeqNo }: ShardModel['answer']): string {
  return `${node} term ${primaryTerm} checkpoint ${globalCheckpoint} max ${maxSeqNo}`
}

function describeCursor({ identity, shard, epoch, seqNo, windows }: Cursor): string {
  const open = windows.map(({ startSeqNo, highSeqNo }) => `${startSeqNo}-${highSeqNo ?? '?'}`).join(' ')
  return `${identity.indexUuid}/${shard} at ${seqNo} [${open}] epoch ${epoch} term ${identity.primaryTerm}`
}
