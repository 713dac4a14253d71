import { z } from 'zod'
import { jsonRecord } from './json-record.ts'

/** What can be wrong; each has its runbook. */
export const FINDING_KINDS = [
  'lag',
  'silent',
  'failing',
  'dead-letters',
  'incomplete',
  'kafka-unreachable',
  'once',
] as const

const findingSchema = z.object({
  /** The same trouble of the same thing has the same id, e.g. `lag/air-infer`. */
  id: z.string(),
  kind: z.enum(FINDING_KINDS),
  /** One sentence without a full stop, e.g. `air-infer is 42 s behind`. */
  title: z.string(),
  /** Figures, by what they are called. */
  details: z.record(z.string(), z.string()),
  /** Where more is known than goes for every finding of its kind. */
  advice: z.object({ effect: z.string(), firstLook: z.string() }).optional(),
})

const alertSchema = z.discriminatedUnion('phase', [
  z.object({
    phase: z.literal('pending'),
    finding: findingSchema,
    sinceMs: z.number(),
    badEvaluations: z.int().min(1),
  }),
  z.object({
    phase: z.literal('firing'),
    finding: findingSchema,
    sinceMs: z.number(),
    /** When people were last told, or told again. */
    toldAtMs: z.number(),
    goodEvaluations: z.int().min(0),
  }),
])

const messageSchema = z.object({
  change: z.enum(['firing', 'reminder', 'resolved']),
  finding: findingSchema,
  sinceMs: z.number(),
  atMs: z.number(),
})

/**
 * What the watchdog must not forget over a restart, kept in `.heartbeats` under `watchdog/alerts`: which alerts are
 * open, and what people have not been told yet.
 */
const alertStateSchema = z.object({
  version: z.literal(1),
  alerts: z.array(alertSchema),
  /** Oldest first. */
  untold: z.array(messageSchema),
})

export type FindingKind = (typeof FINDING_KINDS)[number]
export type Finding = z.infer<typeof findingSchema>
export type Alert = z.infer<typeof alertSchema>
export type AlertMessage = z.infer<typeof messageSchema>
export type AlertState = z.infer<typeof alertStateSchema>

export const ALERT_STATE_KEY = 'watchdog/alerts'
export const alertStateRecord = jsonRecord<AlertState>('alert state', 1, alertStateSchema)
