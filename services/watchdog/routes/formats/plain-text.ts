import type { Notice, NoticeItem } from '../notice.ts'
import { describeTrend } from './sparkline.ts'
import { itemHeadline } from './words.ts'

/** The whole notice as lines for people: for what shows no more than text. */
export function plainText(notice: Notice): string {
  const { headline, items, more, figures, remarks, links, pipeline } = notice
  const single = items.length === 1 && more === 0
  return [
    `${headline} (pipeline ${pipeline})`,
    ...pairs(figures),
    ...items.flatMap((item) => [...(single ? [] : ['', itemHeadline(item)]), ...itemLines(item)]),
    ...(more > 0 ? [`and ${more} more: freshet alerts shows all`] : []),
    ...remarks,
    ...links.map(({ label, url }) => `${label}: ${url}`),
  ].join('\n')
}

function itemLines(item: NoticeItem): string[] {
  const { severity, sinceMs, details, trend, effect, firstLook, remarks, links } = item
  return [
    `${severity}, since ${new Date(sinceMs).toISOString()}`,
    ...pairs(details),
    ...(trend === undefined ? [] : [`How bad: ${describeTrend(trend)}`]),
    ...(effect === undefined ? [] : [`For callers: ${effect}`]),
    ...(firstLook === undefined ? [] : [`First look: ${firstLook}`]),
    ...remarks,
    ...links.map(({ label, url }) => `${label}: ${url}`),
  ]
}

function pairs(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).map(([name, value]) => `${name}: ${value}`)
}
