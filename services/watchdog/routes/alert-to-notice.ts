/** What the alerts decided to say, as people read it. Pure. */
import type { AlertMessage, Finding, ToldAlert } from '@freshet/records/alert-state.ts'
import { cut } from '../cut.ts'
import { shortTexts } from '../rules/short-texts.ts'
import { noticeHeadline, toneOf, worstTone } from './formats/words.ts'
import type { Notice, NoticeItem, Trend } from './notice.ts'
import { kibanaLinkOf, type Reading, runbookOf } from './reading-links.ts'

export interface NoticeContext extends Reading {
  readonly pipeline: string
}

const MAX_ID_CHARACTERS = 300
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
  const kibana = kibanaLinkOf({ kind: finding.kind, sinceMs, overMs: isOver ? atMs : null }, context)
  const runbook = runbookOf(finding.kind, context)
  const { title, details, advice } = shortTexts(finding) // a build before this one may have written longer ones
  return {
    id: cut(finding.id, MAX_ID_CHARACTERS),
    kind: finding.kind,
    change,
    severity: finding.severity,
    title,
    sinceMs,
    atMs,
    details,
    trend: trendOf(finding, measures),
    effect: isOver ? undefined : advice?.effect,
    firstLook: isOver ? undefined : advice?.firstLook,
    remarks: change === 'flapping' ? ['It comes and goes; the next message comes when it is calm.'] : [],
    links: [
      ...(kibana === undefined ? [] : [{ label: 'Kibana', url: kibana }]),
      { label: `Runbook ${finding.kind}`, url: runbook.url ?? runbook.file },
    ],
  }
}

function trendOf({ measure }: Finding, measures: readonly number[]): Trend | undefined {
  if (measure === undefined) return undefined
  const { value, unit, threshold } = measure
  return { values: measures.length === 0 ? [value] : measures, unit, threshold }
}
