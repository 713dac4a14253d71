import { z } from 'zod'
import { jsonRecord } from './json-record.ts'
import { momentSchema } from './moment.ts'

/** The last daily line that people have, kept in `.control`, so that whoever watches next does not tell it again. */
const dailySchema = z.object({
  version: z.literal(1),
  /** As `2026-11-30`. */
  day: z.string(),
  toldAtMs: momentSchema,
})

export type Daily = z.infer<typeof dailySchema>

export const DAILY_KEY = 'watchdog/daily'
export const dailyRecord = jsonRecord<Daily>('daily line', 1, dailySchema)
