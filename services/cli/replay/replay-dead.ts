/**
 * Brings dead letters back after a fix. Never by the bytes that died: `.changes` keeps the last record of a key, and an old
 * one must not hide a newer. A letter's revision says by its epoch which shard the document is of, and by its sequence
 * number whether the document is still what it was. If so, it is read from its primary and emitted under the very revision
 * that it has anyway; if not, what it is now was captured by itself.
 */
import type { Client } from '@elastic/elasticsearch'
import { refresh } from '@freshet/adapters/elasticsearch/read-page.ts'
import { readShards, type ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { readMaxMessageBytes } from '@freshet/adapters/kafka/message-bound.ts'
import type { Producer } from '@freshet/adapters/kafka/producer.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import { type HitToChange, hitToChange, isUnusable, type Unusable } from '@freshet/capture/hit-to-change.ts'
import { type Scope, scopeOf } from '@freshet/capture/scope.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { readAgain } from '@freshet/reconcile/read-again.ts'
import { readCursors } from '@freshet/reconcile/read-cursors.ts'
import { Repair } from '@freshet/reconcile/repair.ts'
import type { Change } from '@freshet/records/change.ts'
import { type Cursor, cursorKey, isSamePrimary } from '@freshet/records/cursor.ts'
import type { DeadLetter } from '@freshet/records/dead-letter.ts'
import type { Hit } from '@freshet/records/hit.ts'
import { compareRevisions } from '@freshet/records/revision.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'
import { topicName } from '@freshet/records/topics.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { type BatchLetter, type Chosen, DeadPile, type DocumentLetter } from './dead-pile.ts'
import type { Fate, ReplayedLetter, ReplayReport } from './replay-report.ts'

const READ_WITHIN_MS = 120_000
/** Documents asked for, looked up and emitted at once. */
const AT_ONCE = 500

export interface ReplayWorld {
  readonly settings: Settings
  readonly client: Client
  readonly connection: KafkaConnection
  readonly producer: Pick<Producer, 'send'>
  /** What Redis says of a key. */
  readonly storedScore: (key: string) => Promise<StoredScore | undefined>
  /** Of the promoted model; 0 when there is none. */
  readonly generation: number
  readonly clock: Clock
  readonly onProgress: (line: string) => void
}

/** @throws what cannot be looked at: KAFKA_…, ELASTICSEARCH_…, REDIS_…; DEADLINE when `signal` aborts */
export async function replayDead(
  world: ReplayWorld,
  options: Chosen & { readonly isDryRun: boolean },
  signal: AbortSignal,
): Promise<ReplayReport> {
  const { settings, connection } = world
  const pile = new DeadPile(settings.pipeline, options)
  await readAll(connection, topicName(settings.pipeline, 'dead'), {
    deadlineMs: READ_WITHIN_MS,
    signal,
    onMessage: (_, message) => pile.add(message),
  })
  const replay = new Replay(world, options.isDryRun)
  const letters = [
    ...(await replay.documents(pile.documents, signal)),
    ...(await replay.batches(pile.batches, signal)),
    ...pile.broken.map((letter) => told({ letter, key: placeOf(letter) }, 'dead')),
  ]
  const { leftOut, unreadable } = pile
  return { pipeline: settings.pipeline, isDryRun: options.isDryRun, letters, leftOut, unreadable }
}

class Replay {
  readonly #world: ReplayWorld
  readonly #isDryRun: boolean
  readonly #scope: Scope
  readonly #repair: Repair

  constructor(world: ReplayWorld, isDryRun: boolean) {
    const { settings, producer } = world
    this.#world = world
    this.#isDryRun = isDryRun
    this.#scope = scopeOf(settings.elasticsearch)
    this.#repair = new Repair({
      pipeline: settings.pipeline,
      partitions: settings.kafka.partitions,
      producer,
    })
  }

  async documents(letters: readonly DocumentLetter[], signal: AbortSignal): Promise<ReplayedLetter[]> {
    if (letters.length === 0) return []
    const { client, connection, settings, onProgress } = this.#world
    const { pipeline, elasticsearch } = settings
    const maxMessageBytes = await readMaxMessageBytes(connection, pipeline, signal)
    const toChange = hitToChange(this.#scope, maxMessageBytes)
    const cursors = await readCursors(connection, pipeline, signal)
    const { readable } = await readShards(client, elasticsearch.index, signal)
    const shards = shardsByEpoch(cursors, readable, this.#scope)
    const replayed: ReplayedLetter[] = []
    for (const [epoch, ofShard] of Map.groupBy(letters, ({ revision }) => revision.epoch)) {
      const shard = shards.get(epoch)
      // Whatever was captured under a dead epoch was captured anew under the one that followed.
      if (shard === undefined) replayed.push(...ofShard.map((letter) => told(letter, 'superseded')))
      else if (shard.view === undefined) replayed.push(...ofShard.map((letter) => told(letter, 'waiting')))
      else {
        await refresh(client, shard.view.index, signal) // else it shows what was before
        for (let at = 0; at < ofShard.length; at += AT_ONCE) {
          onProgress(`replaying ${replayed.length} of ${letters.length}`)
          const some = ofShard.slice(at, at + AT_ONCE)
          replayed.push(...(await this.#ofShard({ ...shard, view: shard.view }, some, toChange, signal)))
        }
      }
    }
    return replayed
  }

  /** Batches of scores go to all stores again, and ranks make that harmless; `.scores` is not compacted. */
  async batches(letters: readonly BatchLetter[], signal: AbortSignal): Promise<ReplayedLetter[]> {
    const { producer, settings } = this.#world
    const replayed: ReplayedLetter[] = []
    for (const { letter, value } of letters) {
      const { partition } = letter
      const isUsable = value !== null && partition !== null
      if (isUsable && !this.#isDryRun)
        await producer.send(topicName(settings.pipeline, 'scores'), [{ partition, key: null, value }], signal)
      replayed.push(told({ letter, key: placeOf(letter) }, isUsable ? 'replayed' : 'dead'))
    }
    return replayed
  }

  async #ofShard(
    { cursor, view }: CapturedShard & { readonly view: ShardView },
    letters: readonly DocumentLetter[],
    toChange: HitToChange,
    signal: AbortSignal,
  ): Promise<ReplayedLetter[]> {
    const { client, settings, clock } = this.#world
    const { index, shard } = view
    const place = { index, shard, node: view.identity.node }
    const reading = { scope: this.#scope, maxPageBytes: settings.elasticsearch.maxPageBytes, signal }
    const page = { epoch: cursor.epoch, capturedAtMs: clock.nowMs(), trace: null }
    const capturedTo = Math.min(cursor.seqNo, view.globalCheckpoint)
    const [there, later] = partition(letters, ({ revision }) => revision.seqNo <= capturedTo)
    const open = new Map(there.map((letter) => [letter.key, letter]))
    const seqNos = [...new Set(there.map(({ revision }) => revision.seqNo))].sort((a, b) => a - b)
    const replayed = later.map((letter) => told(letter, 'waiting'))
    for await (const hits of readAgain(client, place, seqNos, reading)) {
      const changes: Change[] = []
      for (const hit of hits) {
        const change = hit.isInScope ? toChange(hit, page) : undefined
        const letter = change && open.get(keyOf(change))
        if (change === undefined || letter === undefined || !isOf(letter, hit)) continue
        open.delete(letter.key)
        const { fate, now } = await this.#judge(letter, change)
        replayed.push(told(letter, fate, now))
        if (fate === 'replayed' && !isUnusable(change)) changes.push(change)
      }
      if (changes.length > 0 && !this.#isDryRun) await this.#repair.emit(changes, signal)
    }
    return [...replayed, ...[...open.values()].map((letter) => told(letter, 'superseded'))]
  }

  /** A store keeps what it has on a tie: under the generation that has judged the document, no replay helps. */
  async #judge(
    { key, revision }: DocumentLetter,
    change: Change | Unusable,
  ): Promise<{ fate: Fate; now?: string }> {
    if (isUnusable(change)) return { fate: 'dead', now: `${change.code}: ${change.reason}` }
    const stored = await this.#world.storedScore(key)
    if (stored === undefined) return { fate: 'replayed' }
    const order = compareRevisions(stored.rank.revision, revision)
    if (order < 0) return { fate: 'replayed' }
    if (order > 0 || stored.state !== 'unscorable') return { fate: 'superseded' }
    return { fate: stored.rank.modelGeneration >= this.#world.generation ? 'judged' : 'replayed' }
  }
}

interface CapturedShard {
  readonly cursor: Cursor
  /** undefined while nobody can tell whether its documents are what they were. */
  readonly view: ShardView | undefined
}

function shardsByEpoch(
  cursors: ReadonlyMap<string, Cursor>,
  readable: readonly ShardView[],
  scope: Scope,
): ReadonlyMap<number, CapturedShard> {
  const views = new Map(readable.map((view) => [cursorKey(view.identity.indexUuid, view.shard), view]))
  return new Map(
    [...cursors].map(([key, cursor]) => {
      const view = views.get(key)
      const isKnown = view !== undefined && isSamePrimary(view.identity, cursor.identity)
      return [cursor.epoch, { cursor, view: isKnown && cursor.scope === scope.hash ? view : undefined }]
    }),
  )
}

/** Numbers repeat in a shrunk index, and a failover may give one anew. */
function isOf({ revision }: DocumentLetter, { seqNo, primaryTerm }: Hit): boolean {
  return revision.seqNo === seqNo && revision.primaryTerm === primaryTerm
}

function keyOf(change: Change | Unusable): string {
  return (isUnusable(change) ? change.change : change).key.toString()
}

function told(
  { letter, key }: { readonly letter: DeadLetter; readonly key: string },
  fate: Fate,
  now?: string,
): ReplayedLetter {
  const { code, message: reason } = letter
  return { code, key, reason, fate, ...(now !== undefined && now !== `${code}: ${reason}` && { now }) }
}

function placeOf({ topic, partition, offset }: DeadLetter): string {
  return `${topic}[${partition}]@${offset}`
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  const { yes = [], no = [] } = Object.groupBy(items, (item) => (isFirst(item) ? 'yes' : 'no'))
  return [yes, no]
}
