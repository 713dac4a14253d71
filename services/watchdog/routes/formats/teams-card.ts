/**
 * A notice as an adaptive card in the message that a Teams workflow ("When a Teams webhook request is received") takes.
 * Version 1.4: a workflow accepts a later one, and shows nothing. All text stands in TextRuns, which read no Markdown.
 */
import { Buffer } from 'node:buffer'
import { cut } from '../../cut.ts'
import type { Notice, NoticeItem, NoticeLink, Tone } from '../notice.ts'
import { describeTrend } from './sparkline.ts'
import { isAddress, itemHeadline, signOf, toneOf } from './words.ts'

const COLORS: Readonly<Record<Tone, string>> = {
  critical: 'attention',
  warning: 'warning',
  good: 'good',
  plain: 'default',
}
/** Teams takes messages of up to 28 KB, and counts about a fifth more than was sent. */
const MAX_BYTES = 22_000
const MAX_CHARACTERS = { headline: 300, value: 200, url: 700 }
/** Alerts that are shown, where they fit; else fewer. */
const MAX_ITEMS = [4, 2, 1]
const MAX_DETAILS = 6
const MAX_REMARKS = 2
const MAX_ACTIONS = 4

export function teamsMessage(notice: Notice): object {
  const fitting = MAX_ITEMS.map((most) => withItems(notice, most)).find(
    (message) => Buffer.byteLength(JSON.stringify(message)) <= MAX_BYTES,
  )
  return fitting ?? shortTeamsMessage(notice)
}

/** For a card that was refused, or is too large in every other way. */
export function shortTeamsMessage(notice: Notice): object {
  return cardMessage(notice, [], [])
}

function withItems(notice: Notice, most: number): object {
  const shown = notice.items.slice(0, most)
  return cardMessage(
    notice,
    [
      ...pairs(notice.figures),
      ...shown.flatMap((item) => itemRows(item, notice)),
      ...beyond(notice.items.length - shown.length + notice.more),
      ...notice.remarks.slice(0, MAX_REMARKS).map((remark) => row([run(remark)])),
    ],
    [...shown.flatMap(({ links }) => links), ...notice.links],
  )
}

function cardMessage(notice: Notice, rows: readonly object[], links: readonly NoticeLink[]): object {
  const headline = cut(`${signOf(notice)} ${notice.headline}`, MAX_CHARACTERS.headline)
  const color = COLORS[notice.tone]
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          fallbackText: headline,
          msteams: { width: 'Full' },
          body: [
            row([{ ...run(headline), weight: 'bolder', size: 'large', color }]),
            ...rows,
            row([{ ...run(`pipeline ${notice.pipeline}`), isSubtle: true, size: 'small' }]),
          ],
          actions: actions(links),
        },
      },
    ],
  }
}

function itemRows(item: NoticeItem, { items, more }: Notice): object[] {
  const single = items.length === 1 && more === 0
  const { trend, effect, firstLook, severity, sinceMs, details, remarks, links } = item
  return [
    ...(single
      ? []
      : [row([{ ...run(`${signOf({ tone: toneOf(item) })} ${itemHeadline(item)}`), weight: 'bolder' }])]),
    ...pairs(Object.fromEntries(Object.entries(details).slice(0, MAX_DETAILS))),
    pair('Since', new Date(sinceMs).toISOString()),
    pair('Severity', severity),
    ...(trend === undefined ? [] : [pair('How bad', describeTrend(trend), { fontType: 'monospace' })]),
    ...(effect === undefined ? [] : [pair('For callers', effect)]),
    ...(firstLook === undefined ? [] : [pair('First look', firstLook)]),
    ...remarks.slice(0, MAX_REMARKS).map((remark) => row([run(remark)])),
    ...links.filter((link) => !isAddress(link)).map(({ label, url }) => pair(label, url)),
  ]
}

function beyond(count: number): object[] {
  return count === 0 ? [] : [row([run(`… and ${count} more: freshet alerts shows all.`)])]
}

function pairs(values: Readonly<Record<string, string>>): object[] {
  return Object.entries(values).map(([name, value]) => pair(name, value))
}

function pair(name: string, value: string, style: object = {}): object {
  return row([
    { ...run(`${name}: `), weight: 'bolder' },
    { ...run(value), ...style },
  ])
}

function row(inlines: readonly object[]): object {
  return { type: 'RichTextBlock', inlines, spacing: 'small' }
}

/** An empty text is no valid run. */
function run(text: string): { type: 'TextRun'; text: string } {
  return { type: 'TextRun', text: text === '' ? '–' : cut(text, MAX_CHARACTERS.value) }
}

function actions(links: readonly NoticeLink[]): object[] {
  return links
    .filter((link) => isAddress(link) && link.url.length <= MAX_CHARACTERS.url)
    .slice(0, MAX_ACTIONS)
    .map(({ label, url }) => ({ type: 'Action.OpenUrl', title: cut(label, 75), url }))
}
