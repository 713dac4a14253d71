import { z } from 'zod'
import { jsonRecord } from './json-record.ts'
import { momentSchema } from './moment.ts'

/**
 * The one object that says what the snapshot is: files and the offsets they hold, replaced together by a conditional
 * put. Object keys are relative to `<s3.prefix>/snapshots/`.
 */
const fileSchema = z.object({
  object: z.string(),
  rows: z.int().min(0),
  bytes: z.int().min(0),
  /** Highest `asOf` in the file, wall-clock milliseconds; 0 when it has no rows. */
  newestAsOfMs: momentSchema,
})

const manifestSchema = z.object({
  version: z.literal(1),
  pipeline: z.string(),
  /** Counts commits. */
  sequence: z.int().min(0),
  writtenAtMs: momentSchema,
  /** Whose hand it was: after a time-out and a refusal this tells whether our own write won. */
  writtenBy: z.object({ instance: z.string(), attempt: z.string() }),
  /** By partition of `.scores`. */
  partitions: z.record(
    z.string().regex(/^\d+$/),
    z.object({
      /** The next offset of `.scores` to read: everything before it is in the files. */
      nextOffset: z.int().min(0),
      /** When a delta was last committed, wall-clock milliseconds; older builds do not tell it. */
      writtenAtMs: momentSchema.optional(),
      base: fileSchema.nullable(),
      /** Oldest first; a row outranks another by its rank, not by its file's place. */
      deltas: z.array(fileSchema),
      /** Files that were merged `into` another (empty: no row was left), kept for those who read an older manifest. */
      retired: z.array(z.object({ object: z.string(), into: z.string(), atMs: momentSchema })),
    }),
  ),
})

export type Manifest = z.infer<typeof manifestSchema>
export type ManifestPartition = Manifest['partitions'][string]
export type SnapshotFile = z.infer<typeof fileSchema>

export const MANIFEST_OBJECT = 'snapshots/manifest.json'
export const manifestRecord = jsonRecord<Manifest>('snapshot manifest', 1, manifestSchema)
