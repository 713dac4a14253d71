import type { Notice, NoticeLink } from '../notice.ts'
import { plainText } from './plain-text.ts'

/** The body of the generic webhook, version 1: fields are added, none changes its meaning. See docs/alerting.md. */
export function jsonBody(notice: Notice): object {
  const { id, kind, pipeline, headline, tone, atMs, items, more, figures, remarks, links } = notice
  return {
    version: 1,
    id,
    kind,
    pipeline,
    severity: tone === 'plain' ? 'good' : tone,
    headline,
    text: plainText(notice),
    at: isoTime(atMs),
    figures,
    alerts: items.map((item) => ({
      id: item.id,
      kind: item.kind,
      change: item.change,
      severity: item.severity,
      title: item.title,
      since: isoTime(item.sinceMs),
      details: item.details,
      measure: item.trend ?? null,
      effect: item.effect ?? null,
      first_look: item.firstLook ?? null,
      remarks: item.remarks,
      links: item.links.map(linkBody),
    })),
    more_alerts: more,
    remarks,
    links: links.map(linkBody),
  }
}

function linkBody({ label, url }: NoticeLink): object {
  return { label, url }
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
