import { z } from 'zod'
import { jsonRecord } from './json-record.ts'
import { momentSchema } from './moment.ts'

/**
 * The snapshot under one name, for people and their tools: what the manifest says, with whole addresses. Written after
 * each commit, so it may be a moment behind; the files that it names stay for an hour after they are replaced.
 */
const latestSchema = z.object({
  version: z.literal(1),
  pipeline: z.string(),
  /** Of the manifest. */
  sequence: z.int().min(0),
  /** Wall-clock milliseconds, both; `newestAsOfMs` is the highest `as_of` of all rows. */
  writtenAtMs: momentSchema,
  newestAsOfMs: momentSchema,
  /** In all files; of a key that is in several the row of highest rank counts. */
  rows: z.int().min(0),
  /** E.g. `s3://bucket/prefix/snapshots/0/base-0-99-ab.parquet`. */
  files: z.array(z.string()),
})

export type LatestSnapshot = z.infer<typeof latestSchema>

export const LATEST_OBJECT = 'snapshots/latest.json'
export const latestRecord = jsonRecord<LatestSnapshot>('latest snapshot', 1, latestSchema)
