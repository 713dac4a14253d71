import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { KeptAdmin } from '@freshet/adapters/kafka/kafkajs/kept-admin.ts'
import { readLags } from '@freshet/adapters/kafka/lag.ts'
import type {
  CaptureFacts,
  Facts,
  Fault,
  GroupFacts,
  ModelFacts,
  SnapshotFacts,
} from '@freshet/records/facts.ts'
import { consumerGroups } from '@freshet/records/topics.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { CursorEar } from './cursor-ear.ts'
import type { Heard } from './heard.ts'
import { faultOf, type ServerWatch } from './server-watch.ts'
import { Standing } from './standing.ts'

export interface FactReaderOptions {
  readonly connection: KafkaConnection
  readonly pipeline: string
  /** Of the watchdog itself. */
  readonly instance: string
  readonly captureMode: Facts['captureMode']
  readonly snapshotIntervalSeconds: number
  readonly heard: Heard
  /** How long an instance that says nothing is remembered. */
  readonly rememberMs: number
  readonly cursors: CursorEar
  readonly servers: {
    readonly capture: ServerWatch<CaptureFacts['shards']>
    readonly snapshot: ServerWatch<SnapshotFacts>
    readonly model: ServerWatch<ModelFacts>
    readonly redis: ServerWatch<Record<string, never>>
  }
  readonly clock: Clock
}

/** Sees the pipeline from outside: what Kafka says at each look, and what was seen of the servers and heard since the last one. */
export class FactReader implements AsyncDisposable {
  readonly #options: FactReaderOptions
  readonly #standing = new Standing()
  readonly #admin: KeptAdmin
  #groups: GroupFacts[] = []
  #unread: Unread = { unreadCursors: 0, unreadSeconds: 0 }
  #answersSinceMs: number | null = null
  #fault: Fault | null = null

  constructor(options: FactReaderOptions) {
    this.#options = options
    this.#admin = new KeptAdmin(options.connection)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#admin[Symbol.asyncDispose]()
  }

  /** One look; a server that is away is a fact, not an error, and so Kafka seems when `signal` aborts. */
  async look(signal: AbortSignal): Promise<Facts> {
    const { pipeline, instance, captureMode, snapshotIntervalSeconds, heard, rememberMs, servers, clock } =
      this.#options
    await this.#readGroups(signal)
    const nowMs = clock.nowMs()
    heard.forgetBefore(nowMs - rememberMs)
    const { value: shards, ...capture } = servers.capture.sight
    return {
      version: 1,
      pipeline,
      seenBy: instance,
      atMs: nowMs,
      captureMode,
      snapshotIntervalSeconds,
      kafka: { answersSinceMs: this.#answersSinceMs, fault: this.#fault },
      groups: this.#groups,
      instances: heard.instances(nowMs),
      ...(!heard.isUpToDate && { unheard: true }),
      capture: { ...capture, value: shards && { shards, ...this.#newer(), ...this.#unread } },
      snapshot: servers.snapshot.sight,
      model: servers.model.sight,
      redis: servers.redis.sight,
    }
  }

  async #readGroups(signal: AbortSignal): Promise<void> {
    const { pipeline, cursors, captureMode, clock } = this.#options
    const known = consumerGroups(pipeline)
    try {
      const read = await readLags(this.#admin, known, cursors, signal)
      const nowMs = clock.nowMs()
      this.#groups = known.map((group, at) => this.#withStanding({ ...group, ...read.groups[at]! }, nowMs))
      this.#unread = captureMode === 'seqNo' ? this.#unreadOf(read.unread, nowMs) : this.#unread
      this.#standing.lookEnds()
      this.#answersSinceMs ??= nowMs
      this.#fault = null
    } catch (error) {
      this.#answersSinceMs = null
      this.#fault = faultOf(error, this.#fault, clock.nowMs())
    }
  }

  #unreadOf(unreadCursors: number, nowMs: number): Unread {
    const read = [...this.#options.cursors.nextOffsets.values()].reduce((sum, offset) => sum + offset, 0)
    const position = { position: read, hasWork: unreadCursors > 0 }
    const { standsSeconds, stoodBefore } = this.#standing.see('cursors', position, nowMs)
    return { unreadCursors, unreadSeconds: standsSeconds, ...(stoodBefore && { unreadBefore: true }) }
  }

  #newer(): Pick<CaptureFacts, 'newer'> {
    const { newer } = this.#options.cursors.heard()
    const [first] = newer.values()
    return first === undefined
      ? {}
      : { newer: { shards: newer.size, error: `${first.code}: ${first.message}` } }
  }

  #withStanding(group: Unjudged, nowMs: number): GroupFacts {
    const hasReader = group.members !== 0 // without one it waits: whoever comes then has only just begun
    const partitions = group.partitions.map((at) => {
      const { partition, committedOffset, lagRecords } = at
      const position = { position: committedOffset ?? -1, hasWork: lagRecords > 0 && hasReader }
      return { ...at, ...this.#standing.see(`${group.groupId}/${partition}`, position, nowMs) }
    })
    return { ...group, partitions }
  }
}

type Unread = Pick<CaptureFacts, 'unreadCursors' | 'unreadSeconds' | 'unreadBefore'>

type Unjudged = Omit<GroupFacts, 'partitions'> & {
  readonly partitions: readonly Omit<GroupFacts['partitions'][number], 'standsSeconds'>[]
}
