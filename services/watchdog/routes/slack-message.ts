/** An alert as a Slack message: what, how bad, since when, what it means, where to look first. */
import type { AlertMessage, FindingKind } from '@freshet/records/alert-state.ts'
import { formatSeconds } from '../rules/judge.ts'

export interface SlackMessage {
  /** What the notification shows, and all that is shown where blocks are not. */
  readonly text: string
  readonly blocks: SlackBlock[]
}

/** What we use of Slack's Block Kit. */
type SlackBlock =
  | { readonly type: 'header'; readonly text: { readonly type: 'plain_text'; readonly text: string } }
  | { readonly type: 'section'; readonly fields: readonly Markdown[] }
  | { readonly type: 'section'; readonly text: Markdown }
  | { readonly type: 'context'; readonly elements: readonly Markdown[] }

interface Markdown {
  readonly type: 'mrkdwn'
  readonly text: string
}

/** Within what Slack takes of each part (header 150, field 2,000) and of all blocks together (about 13,200). */
const MAX_CHARACTERS = { header: 150, text: 3_000, name: 75, value: 900, context: 900 }
const MAX_FIELDS = 10

/** What a kind of trouble means for callers, and what to do first. */
const ADVICE: Readonly<Partial<Record<FindingKind, { effect: string; firstLook: string }>>> = {
  lag: {
    effect: 'scores or snapshots are stale; the gateway still answers with what it has',
    firstLook: '`freshet status`, then the last error of the scorer',
  },
  silent: {
    effect: 'nobody does the work of this instance, unless others of its service run',
    firstLook: 'whether the process runs, then its log',
  },
  failing: {
    effect: 'this instance cannot go on',
    firstLook: 'its log; the error says what to do',
  },
  'dead-letters': {
    effect: 'these documents have no score; callers get the default for them',
    firstLook: '`freshet replay --dead --dry-run`, each with its reason',
  },
  'verify-failed': {
    effect: 'callers get old scores, none, or scores of what no longer lives, for the documents counted here',
    firstLook: '`freshet verify` names them, `freshet verify --repair` emits them again',
  },
  once: {
    effect: 'what has changed since the last run that was well has no new score',
    firstLook: 'the log of the run; the next one goes on where it was',
  },
  unreachable: {
    effect:
      'nothing new is scored, and other alerts neither open nor end; the gateway answers with what it has',
    firstLook: 'whether the brokers run, then `freshet status`',
  },
}

const ELSE = { effect: 'its runbook says it', firstLook: '`freshet status`' }

export function slackMessage(message: AlertMessage, pipeline: string): SlackMessage {
  const { change } = message
  const { finding, sinceMs } = message.alerts[0]!
  const headline = alertText(message)
  const fields = Object.entries(finding.details)
    .slice(0, MAX_FIELDS - 1)
    .map(([name, value]) =>
      markdown(`*${escapeWithin(name, MAX_CHARACTERS.name)}*\n${escapeWithin(value, MAX_CHARACTERS.value)}`),
    )
  const { effect, firstLook } = finding.advice ?? ADVICE[finding.kind] ?? ELSE
  const advice: SlackBlock = {
    type: 'section',
    text: markdown(
      `*Effect:* ${escapeWithin(effect, MAX_CHARACTERS.value)}\n*First look:* ${escapeWithin(firstLook, MAX_CHARACTERS.value)}`,
    ),
  }
  return {
    text: escapeWithin(`${headline} (pipeline ${pipeline})`, MAX_CHARACTERS.text),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: escapeWithin(headline, MAX_CHARACTERS.header) } },
      { type: 'section', fields: [...fields, markdown(`*Since*\n${slackTime(sinceMs)}`)] },
      ...(change === 'resolved' ? [] : [advice]),
      {
        type: 'context',
        elements: [markdown(escapeWithin(`pipeline ${pipeline} · ${finding.id}`, MAX_CHARACTERS.context))],
      },
    ],
  }
}

/** One line for a log, a notification or a header. */
export function alertText({ change, alerts, more, atMs }: AlertMessage): string {
  const { sinceMs } = alerts[0]!
  const others = alerts.length - 1 + more
  const title = `${alerts[0]!.finding.title}${others > 0 ? `, and ${others} more` : ''}`
  const lasted = formatSeconds((atMs - sinceMs) / 1000)
  switch (change) {
    case 'firing':
      return `FIRING: ${title}`
    case 'flapping':
      return `FLAPPING: ${title}`
    case 'reminder':
      return `STILL FIRING after ${lasted}: ${title}`
    case 'resolved':
      return `RESOLVED after ${lasted}: ${title}`
  }
}

function markdown(text: string): Markdown {
  return { type: 'mrkdwn', text }
}

/** In the reader's own time zone, where Slack knows it. */
function slackTime(ms: number): string {
  return `<!date^${Math.floor(ms / 1000)}^{date_short_pretty}, {time_secs}|${new Date(ms).toISOString()}>`
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/** Escaped as Slack asks, and cut to at most so many characters without splitting an entity or a surrogate pair. */
export function escapeWithin(text: string, maxCharacters: number): string {
  let escaped = ''
  for (const character of text) {
    const next = ENTITIES[character] ?? character
    if (escaped.length + next.length > maxCharacters - 1) return `${escaped}…`
    escaped += next
  }
  return escaped
}
