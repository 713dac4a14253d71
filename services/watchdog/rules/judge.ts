/** Facts → findings: what is wrong right now, each with a name that stays the same while it lasts. */
import { ALERT_RULES, type RuleName, type RuleSettings } from '@freshet/config/alert-rules.ts'
import type { Finding } from '@freshet/records/alert-state.ts'
import type { Facts } from '@freshet/records/facts.ts'
import { captureBehind } from './capture-behind.ts'
import { whyOf } from './causes.ts'
import { deadLetters } from './dead-letters.ts'
import { deadlineMisses } from './deadline-misses.ts'
import { drift } from './drift.ts'
import { failing } from './failing.ts'
import { fallbackRatio } from './fallback-ratio.ts'
import { isDeaf } from './hearing.ts'
import { lag } from './lag.ts'
import { modelRefused } from './model-refused.ts'
import { once } from './once.ts'
import { requestsRefused } from './requests-refused.ts'
import { rewind } from './rewind.ts'
import type { Rule, Scene, Symptom } from './rule.ts'
import { shortTexts } from './short-texts.ts'
import { silent } from './silent.ts'
import { snapshotStale } from './snapshot-stale.ts'
import { stall } from './stall.ts'
import { telemetryDropping } from './telemetry-dropping.ts'
import { unreachable } from './unreachable.ts'
import { verifyFailed } from './verify-failed.ts'

/** Those first that may be the cause of what comes after. */
export const RULES: readonly Rule[] = [
  unreachable,
  silent,
  modelRefused,
  failing,
  stall,
  captureBehind,
  lag,
  rewind,
  snapshotStale,
  fallbackRatio,
  deadlineMisses,
  requestsRefused,
  verifyFailed,
  deadLetters,
  drift,
  telemetryDropping,
  once,
]

export type RuleBook = Readonly<Record<RuleName, RuleSettings>>

/** What one look at the pipeline said. */
export interface Judgement {
  readonly findings: readonly Finding[]
  /** True when the pipeline could not be seen: what is not found may be there all the same. */
  readonly blind: boolean
  /** The ids of what may be there although it is not found: it takes time to be seen, and the watchdog has just begun. */
  readonly notKnown: ReadonlySet<string>
}

/**
 * Pure.
 * @param earlier what was seen in the last minutes, oldest first: see FactWindow
 */
export function judge(now: Facts, earlier: readonly Facts[], book: RuleBook): Judgement {
  const rules = rulesFor(now)
  const found = find(rules, { now, earlier, book })
  const symptoms = found.map(({ symptom }) => symptom)
  const before = lazily(() =>
    earlier.map((facts) => ({
      atMs: facts.atMs,
      found: find(CAUSES, { now: facts, earlier: [], book }).map(({ symptom }) => symptom),
    })),
  )
  const findings = found.flatMap(({ rule, symptom }): Finding[] => {
    const why = whyOf(symptom, symptoms, { now, before })
    if (why.kind === 'aftermath') return []
    return [findingOf(rule.name, symptom, book[rule.name], why.kind === 'cause' ? why.id : undefined)]
  })
  return {
    findings,
    blind: now.kafka.fault !== null || isDeaf(now) || !hasBegun(now),
    notKnown: new Set(rules.flatMap((rule) => rule.notKnown?.(sceneOf(rule, { now, earlier, book })) ?? [])),
  }
}

/** Whether everything was looked at once, and what was said before is heard. */
function hasBegun({ unheard, capture, snapshot, model, redis }: Facts): boolean {
  const sights = [capture, snapshot, model, redis]
  return unheard === undefined && sights.every(({ seenAtMs, fault }) => seenAtMs !== null || fault !== null)
}

/** What may be the cause of others. */
const CAUSES: readonly Rule[] = [unreachable, silent, modelRefused, failing]

/** While Kafka is away all else is old news; while nobody is heard, all is that needs to hear them. */
function rulesFor(now: Facts): readonly Rule[] {
  if (now.kafka.fault !== null) return [unreachable]
  return isDeaf(now) ? [unreachable, lag] : RULES
}

interface Seen {
  readonly now: Facts
  readonly earlier: readonly Facts[]
  readonly book: RuleBook
}

function sceneOf({ name }: Rule, { now, earlier, book }: Seen): Scene {
  return { now, earlier, threshold: book[name].threshold ?? 0, silentSeconds: book.silent.threshold ?? 0 }
}

function find(rules: readonly Rule[], seen: Seen): { readonly rule: Rule; readonly symptom: Symptom }[] {
  return rules
    .filter(({ name }) => seen.book[name].enabled)
    .flatMap((rule) => rule.find(sceneOf(rule, seen)).map((symptom) => ({ rule, symptom })))
}

function findingOf(
  kind: RuleName,
  { id, measure, blinds, ...texts }: Symptom,
  { severity, forSeconds, threshold = 0 }: RuleSettings,
  causedBy: string | undefined,
): Finding {
  const rule = ALERT_RULES[kind]
  const unit = 'threshold' in rule ? rule.threshold.unit : ''
  return {
    ...{ id, kind, severity, forSeconds, ...shortTexts(texts) },
    ...(measure && { measure: { value: measure.value, unit, threshold: measure.above ?? threshold } }),
    ...(blinds === true && { blinds }),
    ...(causedBy !== undefined && { causedBy }),
  }
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}
