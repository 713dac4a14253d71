/** A notice as Slack shows it: headline, figures, how bad, what it means, where to look. Within all limits of Slack. */

import { escapeWithin } from '../../cut.ts'
import type { Notice, NoticeItem, NoticeLink } from '../notice.ts'
import { describeTrend } from './sparkline.ts'
import { isAddress, itemHeadline, signOf, toneOf } from './words.ts'

export interface SlackMessage {
  /** What the notification shows, and all that is shown where blocks are not. */
  readonly text: string
  readonly blocks: SlackBlock[]
}

/** What we use of Slack's Block Kit. No buttons: a button wants an app that answers it, and warns where there is none. */
type SlackBlock =
  | {
      readonly type: 'header'
      readonly text: { readonly type: 'plain_text'; readonly text: string; readonly emoji: true }
    }
  | { readonly type: 'section'; readonly fields: readonly Markdown[] }
  | { readonly type: 'section'; readonly text: Markdown }
  | { readonly type: 'context'; readonly elements: readonly Markdown[] }
  | { readonly type: 'divider' }

interface Markdown {
  readonly type: 'mrkdwn'
  readonly text: string
}

/**
 * Within what Slack takes of each part (header 150, section 3,000, field 2,000, ten fields, 50 blocks), so chosen that
 * all together stay below what it takes of a message (about 13,200 characters, see decisions/0029).
 */
const MAX_CHARACTERS = {
  header: 150,
  text: 3_000,
  name: 75,
  value: 250,
  link: 700,
  list: 1_800,
  context: 500,
}
const MAX_FIELDS = 10
const MAX_REMARKS = 2
const MAX_LINKS = 2
/** Alerts that are shown whole; of the others one line each, as far as they go. */
const MAX_WHOLE_ITEMS = 3
/** Beyond it the figures of each alert are cut, and what it means is left out. */
const MAX_BLOCKS_CHARACTERS = 12_500

export function slackMessage(notice: Notice): SlackMessage {
  const whole = blocksOf(notice, 'whole')
  const fits = charactersIn(whole) <= MAX_BLOCKS_CHARACTERS
  return {
    text: escaped(`${notice.headline} (pipeline ${notice.pipeline})`, MAX_CHARACTERS.text),
    blocks: fits ? whole : blocksOf(notice, 'short'),
  }
}

function blocksOf(notice: Notice, detail: 'whole' | 'short'): SlackBlock[] {
  const { items, figures, links, pipeline } = notice
  const single = items.length === 1 && notice.more === 0
  return [
    header(`${signOf(notice)} ${notice.headline}`),
    ...fields(figures, []),
    ...items
      .slice(0, MAX_WHOLE_ITEMS)
      .flatMap((item): SlackBlock[] => [
        ...(single ? [] : [{ type: 'divider' } as const, section(itemTitle(item))]),
        ...itemBlocks(item, detail),
      ]),
    ...rest(items.slice(MAX_WHOLE_ITEMS), notice.more),
    ...text([
      ...notice.remarks.slice(0, 2 * MAX_REMARKS).map((remark) => escaped(remark, MAX_CHARACTERS.value)),
      linkLine(links),
    ]),
    context(`pipeline ${pipeline}${single ? ` · ${items[0]!.id}` : ''}`),
  ]
}

function itemBlocks(item: NoticeItem, detail: 'whole' | 'short'): SlackBlock[] {
  const { details, severity, sinceMs, trend, effect, firstLook, remarks, links } = item
  const always = [field('Since', slackTime(sinceMs)), field('Severity', severity)]
  const howBad =
    trend === undefined ? '' : `*How bad:* ${escaped(describeTrend(trend), MAX_CHARACTERS.value)}`
  const advice = [
    effect === undefined ? '' : `*For callers:* ${escaped(effect, MAX_CHARACTERS.value)}`,
    firstLook === undefined ? '' : `*First look:* ${escaped(firstLook, MAX_CHARACTERS.value)}`,
  ]
  return [
    ...fields(detail === 'whole' ? details : {}, always),
    ...text([
      howBad,
      ...(detail === 'whole' ? advice : []),
      ...remarks.slice(0, MAX_REMARKS).map((remark) => escaped(remark, MAX_CHARACTERS.value)),
      linkLine(links),
    ]),
  ]
}

function itemTitle(item: NoticeItem): string {
  return `${signOf({ tone: toneOf(item) })} *${escaped(itemHeadline(item), MAX_CHARACTERS.value)}*`
}

/** One line each, and how many there are beyond. */
function rest(items: readonly NoticeItem[], beyond: number): SlackBlock[] {
  if (items.length + beyond === 0) return []
  let lines = ''
  let shown = 0
  for (const item of items) {
    const line = `\n${signOf({ tone: toneOf(item) })} ${escaped(itemHeadline(item), 160)}`
    if (lines.length + line.length > MAX_CHARACTERS.list) break
    lines += line
    shown++
  }
  const more = items.length - shown + beyond
  const last = more === 0 ? '' : `\n… and ${more} more: \`freshet alerts\` shows all.`
  return [{ type: 'divider' }, section(`${lines}${last}`.trim())]
}

function fields(values: Readonly<Record<string, string>>, always: readonly Markdown[]): SlackBlock[] {
  const shown = Object.entries(values)
    .slice(0, MAX_FIELDS - always.length)
    .map(([name, value]) => field(name, escaped(value, MAX_CHARACTERS.value)))
  const all = [...shown, ...always]
  return all.length === 0 ? [] : [{ type: 'section', fields: all }]
}

/** @param value escaped already */
function field(name: string, value: string): Markdown {
  return markdown(`*${escaped(name, MAX_CHARACTERS.name)}*\n${value === '' ? '–' : value}`)
}

/** Lines that are empty are left out, and so is a section without lines. Links are whole or not there. */
function text(lines: readonly string[]): SlackBlock[] {
  const said = lines.filter((line) => line !== '')
  return said.length === 0 ? [] : [section(said.join('\n'))]
}

function linkLine(links: readonly NoticeLink[]): string {
  return links
    .map((link) => ({ link, url: escaped(link.url, MAX_CHARACTERS.link + 1) }))
    .filter(({ url }) => url.length <= MAX_CHARACTERS.link)
    .slice(0, MAX_LINKS)
    .map(({ link, url }) => {
      const label = escaped(link.label, MAX_CHARACTERS.name)
      return isAddress(link) ? `<${url}|${label}>` : `${label}: \`${url}\``
    })
    .join('  ·  ')
}

function header(headline: string): SlackBlock {
  return {
    type: 'header',
    text: { type: 'plain_text', text: escaped(headline, MAX_CHARACTERS.header), emoji: true },
  }
}

function section(said: string): SlackBlock {
  return { type: 'section', text: markdown(said) }
}

function context(said: string): SlackBlock {
  return { type: 'context', elements: [markdown(escaped(said, MAX_CHARACTERS.context))] }
}

function markdown(said: string): Markdown {
  return { type: 'mrkdwn', text: said }
}

/** In the reader's own time zone, where Slack knows it. */
function slackTime(ms: number): string {
  return `<!date^${Math.floor(ms / 1000)}^{date_short_pretty}, {time_secs}|${new Date(ms).toISOString()}>`
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

function escaped(said: string, maxCharacters: number): string {
  return escapeWithin(said, maxCharacters, ENTITIES)
}

function charactersIn(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce<number>((sum, child) => sum + charactersIn(child), 0)
}
