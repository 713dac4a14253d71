/** Looks at a pipeline, one after the other, and what people are told of them. */
import type { AlertMessage, Finding } from '@freshet/records/alert-state.ts'
import type { Judgement } from '../rules/judge.ts'
import { AlertBook } from './alert-book.ts'
import type { Timing } from './alerts.ts'

export const LOOK_MS = 5_000
export const MINUTE_MS = 60_000
export const START_MS = 1_000_000

export const timing: Timing = {
  resolveMs: 15_000,
  maxGapMs: 15_000,
  flapOpenings: 3,
  flapWindowMs: 30 * MINUTE_MS,
  calmMs: 10 * MINUTE_MS,
}

export function finding(id: string, more: Partial<Finding> = {}): Finding {
  return {
    id,
    kind: 'lag',
    severity: 'critical',
    forSeconds: 10,
    title: `${id} is behind`,
    details: {},
    ...more,
  }
}

export const found = (...findings: Finding[]): Judgement => ({
  findings,
  blind: false,
  notKnown: new Set(),
})
export const bad = (...ids: string[]): Judgement => found(...ids.map((id) => finding(id)))
export const good = bad()
export const blind: Judgement = {
  ...found(finding('kafka', { kind: 'unreachable', blinds: true })),
  blind: true,
}
export const times = (count: number, judgement: Judgement): Judgement[] =>
  Array.from({ length: count }, () => judgement)

export interface StoryOptions {
  readonly repeatMs?: number
  readonly silencedBy?: (finding: Finding, nowMs: number) => string | null
}

/** A look every five seconds. @returns what people were told, oldest first */
export function tell(judgements: readonly Judgement[], options: StoryOptions = {}): AlertMessage[] {
  const { repeatMs = 4 * 60 * MINUTE_MS, silencedBy = () => null } = options
  const book = new AlertBook(() => {})
  const told: AlertMessage[] = []
  judgements.forEach((judgement, look) => {
    const nowMs = START_MS + look * LOOK_MS
    book.judge(judgement, timing, { nowMs, repeatMs, silencedBy: (one) => silencedBy(one, nowMs) })
    for (let next = book.nextUntold(); next !== undefined; next = book.nextUntold()) {
      told.push(next)
      book.told(next)
    }
  })
  return told
}

/** What people were told, as `change id,id @second`. */
export function story(judgements: readonly Judgement[], options: StoryOptions = {}): string[] {
  return tell(judgements, options).map(
    ({ change, alerts, atMs }) =>
      `${change} ${alerts.map((alert) => alert.finding.id).join(',')} @${(atMs - START_MS) / 1000}`,
  )
}
