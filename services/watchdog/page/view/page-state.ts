/**
 * All that the status page and `freshet status --watch` show: plain JSON, also `GET /api/status`. Figures have their unit
 * in their name; how they are put into words and lines is a matter of whoever draws them.
 */
import type { Severity } from '@freshet/records/alert-state.ts'
import type { DegradedFor } from '../../degraded-answers.ts'
import type { ListedInstance } from './listed-instances.ts'

/** `unknown`: nobody has looked yet, or it could not be seen. */
export type Level = 'well' | 'warning' | 'critical' | 'unknown'

export interface PageState {
  readonly version: 1
  readonly pipeline: string
  /** Of this look. */
  readonly atMs: number
  /** Time between two looks: who hears nothing for several of them sees an old picture. */
  readonly intervalSeconds: number
  readonly watchdog: WatchdogState
  readonly verdict: Verdict
  readonly history: { readonly bucketSeconds: number; readonly buckets: number }
  /** Along the path of a change. */
  readonly stages: readonly StageState[]
  readonly freshness: FreshnessState
  /** Those that fire first, the gravest first; then what may fire, then what is over. */
  readonly alerts: readonly ShownAlert[]
  readonly orders: OrdersState
  /** What the watchdog itself cannot see just now. */
  readonly unseen: readonly { readonly what: string; readonly error: string; readonly sinceMs: number }[]
  readonly capture: CaptureState
  readonly groups: readonly GroupState[]
  readonly model: ModelState
  readonly snapshot: SnapshotState
  readonly gateway: GatewayState
  readonly servers: readonly ServerState[]
  readonly instances: readonly InstanceState[]
  /** Into Kibana, where there is one. */
  readonly links: readonly { readonly title: string; readonly url: string }[]
}

interface WatchdogState {
  readonly instance: string
  /** Whether this one tells people; null where that is not known. */
  readonly speaks: boolean | null
  /** Watchdogs that live, this one among them. */
  readonly watchdogs: number
}

export interface Verdict {
  readonly level: Level
  /** One sentence without a full stop. */
  readonly headline: string
  /** What more there is to say, with `code` in it. */
  readonly hint: string | null
}

/** Now, and in each bucket of the history, oldest first; null: not known. */
interface Gauge {
  readonly now: number | null
  readonly history: readonly (number | null)[]
}

export const STAGE_NAMES = ['capture', 'infer', 'cache', 'snapshot', 'gateway'] as const
export type StageName = (typeof STAGE_NAMES)[number]

export interface StageState {
  readonly name: StageName
  readonly level: Level
  /** Who does this and lives. */
  readonly instances: number | null
  /** Changes, rows or answers; null: nobody does it. */
  readonly perSecond: number | null
  /** How old what waits for this stage is; of the gateway: how far the scores it answers with are behind. */
  readonly behindSeconds: Gauge
  /** What waits for this stage: operations or records; null where that is not counted. */
  readonly waiting: number | null
  /** What is out of the ordinary, in a few words. */
  readonly notes: readonly string[]
}

/** From when a document was seen by the poller until Redis had its score. */
export interface FreshnessState {
  /** Of the rows of the last minute; null while nothing is new. */
  readonly p50Seconds: number | null
  readonly p99Seconds: number | null
  /** How old what waits on the way to Redis is, of all stages together; null where it is not known. */
  readonly waitingSeconds: number | null
  /** The p99, or what waited where nothing was new. */
  readonly history: readonly (number | null)[]
}

export interface ShownAlert {
  readonly id: string
  readonly phase: 'pending' | 'firing' | 'resolved'
  readonly severity: Severity
  readonly title: string
  readonly sinceMs: number
  readonly resolvedAtMs: number | null
  readonly details: readonly { readonly name: string; readonly value: string }[]
  /** What it means for callers. */
  readonly effect: string | null
  readonly firstLook: string | null
  /** Its file in the repository, and where people read it, if that is set. */
  readonly runbook: { readonly file: string; readonly url: string | null }
  readonly measure: {
    readonly unit: string
    readonly threshold: number
    /** Oldest first. */
    readonly values: readonly number[]
  } | null
  readonly flapping: boolean
  /** Why people are not told, e.g. `silence 3f2a`; null where nothing keeps them from it. */
  readonly heldBack: string | null
  readonly kibana: string | null
}

interface OrderState {
  readonly by: string
  readonly reason: string
  readonly untilMs: number
}

export interface OrdersState {
  readonly maintenance: OrderState | null
  readonly silences: readonly (OrderState & { readonly id: string; readonly match: string })[]
  readonly traces: readonly (OrderState & { readonly key: string })[]
}

export interface CaptureState {
  readonly mode: 'seqNo' | 'timestamp'
  readonly shards: Listed<ShardState>
  /** Operations between all cursors and checkpoints; null where nobody can tell. */
  readonly behindOperations: number | null
  readonly sweep: { readonly sweptAtMs: number | null; readonly dueShards: number }
}

export interface ShardState {
  readonly index: string
  readonly shard: number
  /** Everything up to here is in Kafka; -1: nothing; null: there is no cursor yet. */
  readonly cursorSeqNo: number | null
  readonly checkpointSeqNo: number
  /** Share of the operations that is captured, 0 to 1. */
  readonly share: number
  readonly behindOperations: number
  readonly behindSeconds: number
  readonly standsSeconds: number
  readonly level: Level
}

/** A list that may be long: what needs attention first. */
interface Listed<Row> {
  readonly rows: readonly Row[]
  /** How many there are beside these. */
  readonly more: number
}

export interface GroupState {
  readonly groupId: string
  readonly worker: string
  readonly topic: string
  readonly members: number | null
  readonly waiting: number
  readonly behindSeconds: number
  /** By their number. */
  readonly partitions: readonly PartitionState[]
}

interface PartitionState {
  readonly partition: number
  readonly committedOffset: number | null
  readonly endOffset: number
  readonly waiting: number
  readonly behindSeconds: number
  /** From 0, nothing waits, over 1, as usual, to 4, very late. */
  readonly heat: number
}

export interface ModelState {
  readonly promoted: {
    readonly model: string
    readonly promotion: number
    readonly promotedAtMs: number
  } | null
  /** Models in use, with who uses them; several while a promotion comes through. */
  readonly inUse: readonly { readonly model: string; readonly instances: readonly string[] }[]
  /** null while there is nothing to be scored again. */
  readonly rescore: RescoreState | null
  /** Promotions that were refused in the last five minutes. */
  readonly refused: number
  readonly drift: {
    readonly documents: number
    /** `level` by the rule: what is above its threshold is an alert, or becomes one. */
    readonly outputs: readonly { readonly output: string; readonly psi: number; readonly level: Level }[]
  } | null
}

export interface RescoreState {
  readonly promotion: number
  readonly share: number
  readonly left: number
  readonly total: number
  /** null: not begun. */
  readonly beganAtMs: number | null
  readonly perSecond: number
  /** At this rate; null where it does not move. */
  readonly leftSeconds: number | null
}

export interface SnapshotState {
  /** As it is in S3; null where there is none, or it could not be read. */
  readonly manifest: {
    readonly commit: number
    readonly writtenAtMs: number
    readonly writtenBy: string
    readonly rows: number
    readonly bytes: number
    readonly files: number
    readonly deltas: number
  } | null
  /** As the gateways hold it. */
  readonly held: readonly {
    readonly instance: string
    readonly commit: number
    readonly behindCommits: number
    readonly ageSeconds: number
    readonly keys: number
    readonly memoryBytes: number
  }[]
}

export interface GatewayState {
  readonly perSecond: number
  /** By where answers come from, best first. */
  readonly sources: readonly {
    readonly source: string
    readonly perSecond: number
    /** Of 1, of the last five minutes. */
    readonly share: number
    /** In the last five minutes. */
    readonly answers: number
  }[]
  /** In the last five minutes, all of these. */
  readonly degradedAnswers: number
  /** Why, the most frequent first. */
  readonly degradedFor: readonly DegradedFor[]
  readonly lateAnswers: number
  readonly refusedRequests: number
}

export interface ServerState {
  readonly name: string
  readonly level: Level
  readonly error: string | null
  readonly sinceMs: number | null
}

export interface InstanceState {
  readonly instance: string
  readonly service: string
  readonly status: ListedInstance['status']
  readonly level: Level
  readonly startedAtMs: number
  readonly silentSeconds: number
  readonly model: string | null
  /** Each worker that fails; else the last error, while it is news. */
  readonly errors: readonly {
    readonly worker: string | null
    readonly error: string
    readonly atMs: number | null
  }[]
}
