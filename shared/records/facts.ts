import { z } from 'zod'
import { heartbeatSchema } from './heartbeat.ts'
import { jsonRecord } from './json-record.ts'
import { momentSchema } from './moment.ts'

/**
 * What one look of the watchdog at its pipeline saw: all that its rules judge by, that the status page shows, and that a
 * recorded history consists of (one line of JSON a look). Times are wall-clock milliseconds of the watchdog.
 */

/** Why something was not seen at the last look at it. */
const faultSchema = z.object({
  /** Of the first look in a row that failed. */
  sinceMs: momentSchema,
  /** As `CODE: message`. */
  error: z.string(),
})

/** What is looked at on its own, and may not answer: what was seen last stays, with its age. */
function sight<T extends z.ZodType>(value: T) {
  return z.object({
    /** When `value` was seen; null before the first time. */
    seenAtMs: momentSchema.nullable(),
    value: value.nullable(),
    /** null: the last look was well, or there was none yet. */
    fault: faultSchema.nullable(),
  })
}

const groupSchema = z.object({
  /** `infer`, `cache` or `snapshot`. */
  worker: z.string(),
  groupId: z.string(),
  topic: z.string(),
  /** Consumers that are in the group now; null where the broker does not say. */
  members: z.int().nullable(),
  partitions: z.array(
    z.object({
      partition: z.int(),
      /** null: nothing is committed, so all that the log holds waits. */
      committedOffset: z.number().nullable(),
      endOffset: z.number(),
      lagRecords: z.number(),
      /** Age of the oldest record that waits. */
      lagSeconds: z.number(),
      /** For how long the committed offset has stood still while records waited and the group had a member. */
      standsSeconds: z.number(),
      /** It stood so when the watchdog first looked: it may have stood for longer. */
      stoodBefore: z.literal(true).optional(),
    }),
  ),
})

/** How counters of an instance have grown; those that have not are left out. */
const growthSchema = z.object({
  /** Over how long: less where the instance is younger, or was heard for less. */
  seconds: z.number(),
  by: z.record(z.string(), z.number()),
})

const instanceSchema = z.object({
  /** The last word. */
  heartbeat: heartbeatSchema,
  heardAtMs: momentSchema,
  /** Counters by the second, over the last heartbeats of about ten seconds; those that stand are left out. */
  perSecond: z.record(z.string(), z.number()),
  lastMinute: growthSchema,
  lastFiveMinutes: growthSchema,
})

const shardSchema = z.object({
  index: z.string(),
  indexUuid: z.string(),
  shard: z.int(),
  /** What may be captured, by Elasticsearch: a sequence number, -1 where there is nothing. */
  checkpoint: z.number(),
  /** What is captured, by `.cursors`; null: nobody has begun. */
  cursorSeqNo: z.number().nullable(),
  /** Of the cursor, with all that may lawfully put it back; null without a cursor. */
  epoch: z.number().nullable(),
  primaryTerm: z.number().nullable(),
  /** Operations between the two. */
  behind: z.number(),
  /** Since when the oldest of them is known to be there. */
  behindSeconds: z.number(),
  /** It was there when the watchdog first looked: it may be older. */
  behindBefore: z.literal(true).optional(),
  /** For how long the cursor has stood still while there was work. */
  standsSeconds: z.number(),
  /** It stood so when the watchdog first looked: it may have stood for longer. */
  stoodBefore: z.literal(true).optional(),
})

const captureSchema = z.object({
  /** Without those of `newer`. */
  shards: z.array(shardSchema),
  /** Shards that a newer release has captured last, and the error of one: this watchdog cannot judge them. Absent: none. */
  newer: z.object({ shards: z.int(), error: z.string() }).optional(),
  /** Records of `.cursors` that this watchdog has not read yet. */
  unreadCursors: z.number(),
  /** For how long it has had such and read none of them: its view is as old as that. */
  unreadSeconds: z.number(),
  /** It had read none when it first looked: nobody knows for how long it cannot. */
  unreadBefore: z.literal(true).optional(),
})

const snapshotSchema = z.object({
  /** Counts commits; 0 while there is no manifest. */
  sequence: z.int(),
  /** Of the last commit; 0 while there is none. */
  writtenAtMs: momentSchema,
  /** The instance that committed last. */
  writtenBy: z.string(),
  rows: z.number(),
  bytes: z.number(),
  files: z.int(),
  partitions: z.array(
    z.object({
      partition: z.int(),
      /** Everything of `.scores` before it is in the files. */
      nextOffset: z.number(),
      deltas: z.int(),
      /** When a delta was last committed; null where the writer does not tell. */
      writtenAtMs: momentSchema.nullable(),
    }),
  ),
})

const modelSchema = z.object({
  /** `name@version` of what is promoted; null where nothing is. */
  promoted: z.string().nullable(),
  /** Counts promotions; 0 before the first. */
  generation: z.number(),
  promotedAtMs: momentSchema,
})

const factsSchema = z.object({
  version: z.literal(1),
  pipeline: z.string(),
  /** The watchdog that looked. */
  seenBy: z.string(),
  atMs: momentSchema,
  /** Settings that the meaning of the figures depends on. */
  captureMode: z.enum(['seqNo', 'timestamp']),
  snapshotIntervalSeconds: z.number(),
  kafka: z.object({
    /** Since when it answers without a break; null while it does not, or before it has. */
    answersSinceMs: momentSchema.nullable(),
    fault: faultSchema.nullable(),
  }),
  /** While Kafka does not answer: as they were seen last. */
  groups: z.array(groupSchema),
  instances: z.array(instanceSchema),
  /** Heartbeats that were said before the watchdog began are not all heard yet. */
  unheard: z.literal(true).optional(),
  /** Elasticsearch and `.cursors`; by timestamps there are no shards, and it only says whether Elasticsearch answers. */
  capture: sight(captureSchema),
  /** The manifest in S3. */
  snapshot: sight(snapshotSchema),
  /** The pointer in S3. */
  model: sight(modelSchema),
  /** Whether it answers. */
  redis: sight(z.object({})),
})

export type Facts = z.infer<typeof factsSchema>
export type Fault = z.infer<typeof faultSchema>
export type GroupFacts = z.infer<typeof groupSchema>
export type InstanceFacts = z.infer<typeof instanceSchema>
export type ShardFacts = z.infer<typeof shardSchema>
export type CaptureFacts = z.infer<typeof captureSchema>
export type SnapshotFacts = z.infer<typeof snapshotSchema>
export type ModelFacts = z.infer<typeof modelSchema>
export interface Sight<T> {
  seenAtMs: number | null
  value: T | null
  fault: Fault | null
}

/** Of a recorded history. */
export const factsRecord = jsonRecord<Facts>('facts', 1, factsSchema)
