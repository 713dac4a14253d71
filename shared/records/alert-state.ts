import { z } from 'zod'
import { jsonRecord } from './json-record.ts'
import { momentSchema } from './moment.ts'

/**
 * What can be wrong: one kind a rule, and a page for each in docs/runbooks. The rules stand in
 * `shared/config/alert-rules.ts`: `services/watchdog/rules/judge.test.ts` holds them together.
 */
export const FINDING_KINDS = [
  'unreachable',
  'silent',
  'failing',
  'capture-behind',
  'lag',
  'stall',
  'rewind',
  'snapshot-stale',
  'fallback-ratio',
  'deadline-misses',
  'requests-refused',
  'verify-failed',
  'dead-letters',
  'model-refused',
  'drift',
  'telemetry-dropping',
  'once',
] as const

/** `critical`: callers notice, or soon will. `warning`: it can wait until people are awake. */
const SEVERITIES = ['critical', 'warning'] as const

const findingSchema = z.object({
  /** The same trouble of the same thing has the same id, e.g. `lag/air-infer`. */
  id: z.string(),
  kind: z.enum(FINDING_KINDS),
  severity: z.enum(SEVERITIES),
  /** How long it must be found without a break before people are told. */
  forSeconds: z.number().min(0),
  /** One sentence without a full stop, e.g. `air-infer is 42 s behind`. */
  title: z.string(),
  /** Figures, by what they are called. */
  details: z.record(z.string(), z.string()),
  /** The figure that is bad, and from where on it is; the alert keeps the last ones for a sparkline. */
  measure: z.object({ value: z.number(), unit: z.string(), threshold: z.number() }).optional(),
  /** The id of the finding that it follows from: while that one is an alert, nobody is told of this one by itself. */
  causedBy: z.string().optional(),
  /** While it lasts the pipeline cannot be seen: whatever else is found just after it follows from it. */
  blinds: z.boolean().optional(),
  /** Where more is known than goes for every finding of its kind. */
  advice: z.object({ effect: z.string(), firstLook: z.string() }).optional(),
})

export const MAX_MEASURES = 24

/** What is kept of a trouble in every phase. */
const kept = {
  finding: findingSchema,
  /** When it was first found, this time. */
  sinceMs: momentSchema,
  /** The last values of its measure, oldest first. */
  measures: z.array(z.number()),
  /** When it began to fire lately, oldest first: what opens often is flapping. */
  openings: z.array(z.number()),
  /** It comes and goes: people were told so, and hear no more until it is calm. */
  flapping: z.boolean(),
  /** When people were last told that it is there; null: for all they know it is not. */
  toldAtMs: momentSchema.nullable(),
  /** What they were told then that it is, so that they know what it is that is over; figures and names may change meanwhile. */
  toldTitle: z.string().optional(),
  /** Why people are not told, e.g. `silence 3f2a`; null where nothing keeps them from it. */
  heldBack: z.string().nullable(),
}

const alertSchema = z.discriminatedUnion('phase', [
  /** Found, not yet for long enough. */
  z.object({ phase: z.literal('pending'), ...kept, badSinceMs: momentSchema }),
  /** `goodSinceMs`: since when it is not found any more; null while it is. */
  z.object({ phase: z.literal('firing'), ...kept, goodSinceMs: momentSchema.nullable() }),
  /** Over; kept for a while, so that one who looks sees it, and what comes back often is known. */
  z.object({ phase: z.literal('resolved'), ...kept, resolvedAtMs: momentSchema }),
])

const toldAlertSchema = z.object({
  finding: findingSchema,
  sinceMs: momentSchema,
  /** Oldest first. */
  measures: z.array(z.number()),
})

const messageSchema = z.object({
  /** Of its own for each message of a pipeline; the same when it is delivered again. */
  id: z.string(),
  change: z.enum(['firing', 'reminder', 'flapping', 'resolved']),
  atMs: momentSchema,
  /** What goes together as one message, the gravest first; at least one. */
  alerts: z.array(toldAlertSchema).min(1),
  /** How many more alerts the message is about, beyond those that are named. */
  more: z.int().min(0),
  /**
   * When a delivery was begun whose end nobody knows; null when none was. Who finds it set after a crash delivers again:
   * people may have it already.
   */
  begunAtMs: momentSchema.nullable(),
})

/**
 * What the watchdogs of a pipeline must not forget over a restart, kept in `.control` under `watchdog/alerts`: which
 * alerts there are, and what people have not been told yet.
 */
const alertStateSchema = z.object({
  version: z.literal(2),
  /** Which speaker wrote it: each that takes over has a higher one, so what one that was given up still writes is known. */
  term: z.int().min(0),
  /** The instance that wrote it. */
  writer: z.string(),
  /** When the pipeline was last looked at: time in which nobody looked counts neither for nor against an alert. */
  lookedAtMs: momentSchema,
  alerts: z.array(alertSchema),
  /** Oldest first. */
  untold: z.array(messageSchema),
})

export type FindingKind = (typeof FINDING_KINDS)[number]
export type Severity = (typeof SEVERITIES)[number]
export type Finding = z.infer<typeof findingSchema>
export type Alert = z.infer<typeof alertSchema>
export type AlertMessage = z.infer<typeof messageSchema>
export type ToldAlert = z.infer<typeof toldAlertSchema>
export type AlertState = z.infer<typeof alertStateSchema>

export const ALERT_STATE_KEY = 'watchdog/alerts'
export const alertStateRecord = jsonRecord<AlertState>('alert state', 2, alertStateSchema, {
  1: fromVersion1,
})

/** Version 1 counted looks in place of seconds, and had a message for each alert. It was kept in `.heartbeats`. */
function fromVersion1(old: object): object {
  const { alerts, untold } = old as Version1
  return {
    version: 2,
    term: 0,
    writer: '',
    lookedAtMs: 0,
    alerts: alerts.map(({ phase, finding, sinceMs, toldAtMs }) => ({
      ...{
        phase,
        finding: graded(finding),
        sinceMs,
        measures: [],
        openings: [],
        flapping: false,
        heldBack: null,
      },
      ...(phase === 'pending' ? { toldAtMs: null, badSinceMs: sinceMs } : { toldAtMs, goodSinceMs: null }),
    })),
    untold: untold.map(({ change, finding, sinceMs, atMs }, at) => ({
      ...{ id: `${atMs}-${at}`, change, atMs, more: 0, begunAtMs: null },
      alerts: [{ finding: graded(finding), sinceMs, measures: [] }],
    })),
  }
}

function graded(finding: Version1Finding): object {
  const kind = KINDS_OF_VERSION_1[finding.kind] ?? finding.kind
  return { ...finding, kind, severity: 'critical', forSeconds: 0 }
}

const KINDS_OF_VERSION_1: Readonly<Record<string, FindingKind>> = {
  'kafka-unreachable': 'unreachable',
  incomplete: 'verify-failed',
}

interface Version1Finding {
  readonly id: string
  readonly kind: string
}

interface Version1 {
  readonly alerts: readonly {
    readonly phase: 'pending' | 'firing'
    readonly finding: Version1Finding
    readonly sinceMs: number
    readonly toldAtMs?: number
  }[]
  readonly untold: readonly {
    readonly change: string
    readonly finding: Version1Finding
    readonly sinceMs: number
    readonly atMs: number
  }[]
}
