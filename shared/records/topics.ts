/** The topics of a pipeline and how each is kept. `docs/reference/topics.md` is this table printed. */
export interface TopicSpec {
  readonly suffix: string
  readonly cleanupPolicy: 'compact' | 'delete'
  /** Kafka topic settings beside the cleanup policy. */
  readonly settings: Readonly<Record<string, string>>
  /** `pipeline`: as many as kafka.partitions; else fixed. */
  readonly partitions: 'pipeline' | number
  readonly holds: string
}

const HOUR_MS = 3_600_000
/** Room for the largest documents that Elasticsearch users keep: of a whole batch, on the wire. */
export const MAX_MESSAGE_BYTES = 20 * 1024 * 1024

export const TOPICS = {
  changes: {
    suffix: '.changes',
    cleanupPolicy: 'compact',
    settings: { 'delete.retention.ms': `${7 * 24 * HOUR_MS}`, 'max.message.bytes': `${MAX_MESSAGE_BYTES}` },
    partitions: 'pipeline',
    holds: 'the current version of every document; also the feature store from which a new model rescores',
  },
  scores: {
    suffix: '.scores',
    cleanupPolicy: 'delete',
    settings: { 'retention.ms': `${3 * 24 * HOUR_MS}` },
    partitions: 'pipeline',
    holds: 'batches of scores, one message a micro-batch',
  },
  cursors: {
    suffix: '.cursors',
    cleanupPolicy: 'compact',
    // Kafka never compacts the segment that it writes to, and whoever takes over a partition reads it whole.
    settings: { 'segment.bytes': `${4 * 1024 * 1024}` },
    partitions: 8,
    holds: 'how far each source shard has been captured',
  },
  heartbeats: {
    suffix: '.heartbeats',
    cleanupPolicy: 'delete',
    // The broker's clock: whoever is said to be silent is so by one clock, however wrong its own goes.
    settings: { 'retention.ms': `${HOUR_MS}`, 'message.timestamp.type': 'LogAppendTime' },
    partitions: 1,
    holds: 'the status of every service instance, every few seconds',
  },
  control: {
    suffix: '.control',
    cleanupPolicy: 'compact',
    // Kafka never compacts the segment that it writes to, and every instance reads it whole when it starts.
    settings: { 'segment.bytes': `${4 * 1024 * 1024}` },
    partitions: 1,
    holds:
      'what operators order (silences, maintenance, traces of one document), and what the watchdogs must not forget',
  },
  dead: {
    suffix: '.dead',
    cleanupPolicy: 'delete',
    settings: { 'retention.ms': `${14 * 24 * HOUR_MS}`, 'max.message.bytes': `${MAX_MESSAGE_BYTES}` },
    partitions: 1,
    holds: 'messages that could not be used, changes above all, each with its reason',
  },
} as const satisfies Record<string, TopicSpec>

export type TopicName = keyof typeof TOPICS

export function topicName(pipeline: string, topic: TopicName): string {
  return `${pipeline}${TOPICS[topic].suffix}`
}

/** The scorer's workers along the path of the data, with the topic that each reads in a consumer group of its own. */
const WORKERS = { infer: 'changes', cache: 'scores', snapshot: 'scores' } as const satisfies Record<
  string,
  TopicName
>

export type Worker = keyof typeof WORKERS

export interface WorkerGroup {
  readonly worker: Worker
  readonly groupId: string
  readonly topic: string
}

export function groupName(pipeline: string, worker: Worker): string {
  return `${pipeline}-${worker}`
}

/** Of the pollers, which share the shards by it. It commits nothing, so it has no lag and is none of `consumerGroups`. */
export function captureGroup(pipeline: string): string {
  return `${pipeline}-capture`
}

/** Of the watchdogs: who holds the one partition of `.control` speaks. It commits nothing, so it has no lag to watch. */
export function speakerGroup(pipeline: string): string {
  return `${pipeline}-watchdog`
}

/** Of the scorers while they score again with a newly promoted model; empty at other times, so it has no lag to watch. */
export function rescoreGroup(pipeline: string): string {
  return `${pipeline}-rescore`
}

export function consumerGroups(pipeline: string): readonly WorkerGroup[] {
  return (Object.keys(WORKERS) as Worker[]).map((worker) => ({
    worker,
    groupId: groupName(pipeline, worker),
    topic: topicName(pipeline, WORKERS[worker]),
  }))
}
