/** What the alerts decided to say, as people read it. Pure. */
import { dashboardLink, type Look, sessionLink } from '@freshet/kibana/links.ts'
import type { SessionName } from '@freshet/kibana/object-ids.ts'
import type { AlertMessage, Finding, FindingKind, ToldAlert } from '@freshet/records/alert-state.ts'
import { cut } from './formats/cut.ts'
import { noticeHeadline, toneOf, worstTone } from './formats/words.ts'
import type { Notice, NoticeItem, NoticeLink, Trend } from './notice.ts'

export interface NoticeContext {
  readonly pipeline: string
  /** As `kibanaForPeople` gives it. */
  readonly kibana: string | undefined
  /** Where runbooks stand, as an address; undefined: in the repository. */
  readonly runbookUrl: string | undefined
}

/** A link begins so long before a trouble did: what led to it is part of the picture. */
const BEFORE_MS = 15 * 60_000
const AFTER_MS = 5 * 60_000
/** What an error says may be a page; whoever wants all of it looks into the log. */
const MAX_CHARACTERS = { title: 300, name: 100, value: 600 }
const MAX_DETAILS = 15
/** Later than this, people are told that they hear of it late. */
const LATE_MS = 120_000

/** @param nowMs of the delivery, which may be long after the message was made */
export function alertNotice(message: AlertMessage, context: NoticeContext, nowMs: number): Notice {
  const items = message.alerts.map((alert) => itemOf(alert, message, context))
  const lateMs = nowMs - message.atMs
  return {
    id: `${context.pipeline}/${message.id}`,
    kind: 'alerts',
    pipeline: context.pipeline,
    headline: noticeHeadline(items, message.more),
    tone: worstTone(items.map(toneOf)),
    atMs: message.atMs,
    items,
    more: message.more,
    figures: {},
    remarks: [
      ...(message.begunAtMs === null
        ? []
        : ['You may have this already: it was sent before, and how that ended is not known.']),
      ...(lateMs > LATE_MS
        ? [`Told ${Math.round(lateMs / 60_000)} min late: it could not be sent before.`]
        : []),
    ],
    links: [],
  }
}

function itemOf(
  { finding, sinceMs, measures }: ToldAlert,
  { change, atMs }: AlertMessage,
  context: NoticeContext,
): NoticeItem {
  const isOver = change === 'resolved'
  return {
    id: cut(finding.id, MAX_CHARACTERS.title),
    kind: finding.kind,
    change,
    severity: finding.severity,
    title: cut(finding.title, MAX_CHARACTERS.title),
    sinceMs,
    atMs,
    details: shortDetails(finding),
    trend: trendOf(finding, measures),
    effect: isOver ? undefined : shortAdvice(finding, 'effect'),
    firstLook: isOver ? undefined : shortAdvice(finding, 'firstLook'),
    remarks: change === 'flapping' ? ['It comes and goes; the next message comes when it is calm.'] : [],
    links: [
      ...kibanaLinks(
        finding,
        { fromMs: sinceMs - BEFORE_MS, toMs: isOver ? atMs + AFTER_MS : 'now' },
        context,
      ),
      runbookLink(finding, context),
    ],
  }
}

function shortDetails({ details }: Finding): Readonly<Record<string, string>> {
  const shown = Object.entries(details).slice(0, MAX_DETAILS)
  return Object.fromEntries(
    shown.map(([name, value]) => [cut(name, MAX_CHARACTERS.name), cut(value, MAX_CHARACTERS.value)]),
  )
}

function shortAdvice({ advice }: Finding, part: 'effect' | 'firstLook'): string | undefined {
  return advice === undefined ? undefined : cut(advice[part], MAX_CHARACTERS.value)
}

function trendOf({ measure }: Finding, measures: readonly number[]): Trend | undefined {
  if (measure === undefined) return undefined
  const { value, unit, threshold } = measure
  return { values: measures.length === 0 ? [value] : measures, unit, threshold }
}

/** Where the requests, documents or lines of a trouble are listed; of all others the dashboard shows the most. */
const SESSIONS: Readonly<Partial<Record<FindingKind, SessionName>>> = {
  'fallback-ratio': 'fallbacks',
  'deadline-misses': 'slowRequests',
  'requests-refused': 'slowRequests',
  'dead-letters': 'failedDocuments',
  failing: 'troubles',
  silent: 'troubles',
  unreachable: 'troubles',
  'model-refused': 'troubles',
}

function kibanaLinks(finding: Finding, stretch: Look, { kibana }: NoticeContext): NoticeLink[] {
  if (kibana === undefined) return []
  const session = SESSIONS[finding.kind]
  const url = session === undefined ? dashboardLink(kibana, stretch) : sessionLink(kibana, session, stretch)
  return [{ label: 'Kibana', url }]
}

function runbookLink({ kind, runbook = kind }: Finding, { runbookUrl }: NoticeContext): NoticeLink {
  const page = `${runbook}.md`
  return {
    label: `Runbook ${runbook}`,
    url: runbookUrl === undefined ? `docs/runbooks/${page}` : `${runbookUrl.replace(/\/+$/, '')}/${page}`,
  }
}
