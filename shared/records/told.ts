import { z } from 'zod'
import { jsonRecord } from './json-record.ts'
import { momentSchema } from './moment.ts'

/** What people were last told of runs of `freshet once`; kept in S3 while they fail. */
const toldSchema = z.object({
  version: z.literal(1),
  /** Of the first run that failed. */
  sinceMs: momentSchema,
  toldAtMs: momentSchema,
  /** What was told: another cause is told at once. */
  errorCode: z.string(),
})

export type Told = z.infer<typeof toldSchema>

export const TOLD_OBJECT = 'once/told.json'
export const toldRecord = jsonRecord<Told>('what was told of runs', 1, toldSchema)
