/**
 * What the watchdog judges by, and how: one table, from which the settings `watchdog.rules.<rule>` and
 * `docs/reference/alerts.md` are made. Each rule stands in `services/watchdog/rules/<rule>.ts` and has a page for who is
 * woken by it in `docs/runbooks/<rule>.md`. The kinds of findings in `shared/records/alert-state.ts` name the same rules:
 * `services/watchdog/rules/judge.test.ts` holds them together.
 */
import { z } from 'zod'

/** `critical`: callers have it worse now, or soon will. `warning`: it can wait for the morning. */
const severities = ['critical', 'warning'] as const
type Severity = (typeof severities)[number]

interface RuleDefaults {
  /** What is wrong when it fires, in a sentence that goes on from "when". */
  readonly finds: string
  /** Where it is a matter of degree: what is found above this. */
  readonly threshold?: {
    readonly default: number
    /** `s`, `share` (from 0 to 1), `rows`, … */
    readonly unit: string
    /** The figure that is compared. */
    readonly of: string
  }
  /** How long it must be so before people are told. */
  readonly forSeconds: number
  readonly severity: Severity
}

export const ALERT_RULES = {
  unreachable: {
    finds: 'Elasticsearch, Redis, S3 or Kafka does not answer the watchdog, or those who work with it',
    forSeconds: 10,
    severity: 'critical',
  },
  silent: {
    finds:
      'an instance sends no heartbeats, has not said that it stops, and no other one has come in its place',
    threshold: { default: 30, unit: 's', of: 'time since its last heartbeat' },
    forSeconds: 0,
    severity: 'critical',
  },
  failing: {
    finds:
      'an instance says that it, or one of its workers, cannot go on, for another reason than a dead server',
    forSeconds: 15,
    severity: 'critical',
  },
  'capture-behind': {
    finds: 'what Elasticsearch has is not in Kafka, by cursors and checkpoints, whatever the pollers say',
    threshold: {
      default: 60,
      unit: 's',
      of: 'time since the oldest operation that is not captured was seen',
    },
    forSeconds: 5,
    severity: 'critical',
  },
  lag: {
    finds: 'records wait for scoring, or scores for Redis',
    threshold: { default: 60, unit: 's', of: 'age of the oldest record that waits for the consumer group' },
    forSeconds: 5,
    severity: 'critical',
  },
  stall: {
    finds: 'the capture of a shard, or a consumer group with a member, has work and does not move',
    threshold: { default: 30, unit: 's', of: 'time without a step' },
    forSeconds: 5,
    severity: 'critical',
  },
  rewind: {
    finds:
      'a committed offset, a cursor of the same epoch, the end of a topic or the snapshot is behind where it was',
    threshold: { default: 0, unit: 'records', of: 'how far it went back' },
    forSeconds: 10,
    severity: 'warning',
  },
  'snapshot-stale': {
    finds: 'scores wait for the snapshot in S3 for longer than an interval and this',
    threshold: {
      default: 120,
      unit: 's',
      of: 'time beyond snapshot.intervalSeconds since the last commit',
    },
    forSeconds: 10,
    severity: 'warning',
  },
  'fallback-ratio': {
    finds: 'callers get answers that a better source should have given',
    threshold: { default: 0.05, unit: 'share', of: 'degraded answers among those of the last minute' },
    forSeconds: 20,
    severity: 'critical',
  },
  'deadline-misses': {
    finds: 'callers get answers after their deadline',
    threshold: { default: 0.01, unit: 'share', of: 'late answers among those of the last minute' },
    forSeconds: 20,
    severity: 'critical',
  },
  'requests-refused': {
    finds: 'callers are refused with 503, since more comes in than can be answered in time',
    threshold: { default: 0.01, unit: 'share', of: 'refused requests among those of the last minute' },
    forSeconds: 20,
    severity: 'critical',
  },
  'verify-failed': {
    finds: 'the last run of `freshet verify --watch` found scores that are missing, stale or extra',
    threshold: { default: 0, unit: 'documents', of: 'missing, stale and extra scores' },
    forSeconds: 0,
    severity: 'critical',
  },
  'dead-letters': {
    finds: 'documents cannot be captured or scored, and go to the dead letters',
    threshold: { default: 0, unit: 'rows', of: 'dead letters of the last five minutes' },
    forSeconds: 0,
    severity: 'warning',
  },
  'model-refused': {
    finds: 'a promoted model cannot be used; the one before serves on, where there is one',
    forSeconds: 5,
    severity: 'warning',
  },
  drift: {
    finds: 'the scores of the last hour differ from those that the model was released with',
    threshold: { default: 0.25, unit: 'PSI', of: 'population stability index of an output' },
    forSeconds: 300,
    severity: 'warning',
  },
  'telemetry-dropping': {
    finds: 'traces or logs are given up on, while Elasticsearch answers',
    threshold: { default: 0, unit: 'documents', of: 'documents dropped in the last minute' },
    forSeconds: 30,
    severity: 'warning',
  },
  once: {
    finds: 'a run of `freshet once` failed; where no watchdog runs, it says so itself',
    forSeconds: 0,
    severity: 'critical',
  },
} as const satisfies Readonly<Record<string, RuleDefaults>>

export type RuleName = keyof typeof ALERT_RULES
export const RULE_NAMES = Object.keys(ALERT_RULES) as RuleName[]

export interface RuleSettings {
  readonly enabled: boolean
  /** Absent where there is nothing to compare. */
  readonly threshold?: number | undefined
  readonly forSeconds: number
  readonly severity: Severity
}

/** Who says nothing for so long is silent. */
export function silentSecondsOf(settings: {
  readonly watchdog: { readonly rules: { readonly silent: RuleSettings } }
}): number {
  return settings.watchdog.rules.silent.threshold ?? ALERT_RULES.silent.threshold.default
}

function inUnit(unit: string): string {
  if (unit === 's') return 'in seconds'
  return unit === 'share' ? 'as a share from 0 to 1' : `in ${unit}`
}

function ruleSchema({ finds, threshold, forSeconds, severity }: RuleDefaults): z.ZodType<RuleSettings> {
  const schema = z
    .strictObject({
      enabled: z.boolean().default(true).describe(`Alert when ${finds}.`),
      ...(threshold && {
        threshold: z
          .number()
          .min(0)
          .default(threshold.default)
          .describe(`Alert above this: ${threshold.of}, ${inUnit(threshold.unit)}.`),
      }),
      forSeconds: z
        .number()
        .min(0)
        .max(86_400)
        .default(forSeconds)
        .describe('How long it must be so before people are told.'),
      severity: z
        .enum(severities)
        .default(severity)
        .describe('critical: callers have it worse. warning: it can wait for the morning.'),
    })
    .prefault({})
  return schema as z.ZodType<RuleSettings>
}

export const rulesSchema = z
  .strictObject(
    Object.fromEntries(RULE_NAMES.map((name) => [name, ruleSchema(ALERT_RULES[name])])) as Record<
      RuleName,
      z.ZodType<RuleSettings>
    >,
  )
  .prefault({} as never)
