/** How the watchdog, and a run of `freshet once`, reach people. */
import { z } from 'zod'
import { secret } from './secret.ts'

/** Whoever has such an address can post to it, so it is a secret as a whole. */
const address = z
  .url({ protocol: /^https?$/ })
  .refine(
    hasNoUser,
    'an address without user and password: no request is sent to one that has them; alerts.webhook.headers may hold an authorization',
  )

export const slackSchema = z
  .strictObject({
    webhookUrl: address
      .optional()
      .describe(
        'Incoming webhook of Slack; without it, and without alerts.webhook.url, alerts go to the log.',
      ),
  })
  .prefault({})

/** How the second route is spoken to. */
const WEBHOOK_FORMATS = ['json', 'teams', 'flock'] as const
export type WebhookFormat = (typeof WEBHOOK_FORMATS)[number]

const webhook = z
  .strictObject({
    url: address
      .optional()
      .describe(
        'Second route, by HTTP POST: used while Slack refuses or does not take messages, or alone where slack.webhookUrl is not set.',
      ),
    format: z
      .enum(WEBHOOK_FORMATS)
      .default('json')
      .describe(
        'What is posted there: json (described in docs/alerting.md), teams (an adaptive card for a workflow “When a Teams webhook request is received”) or flock.',
      ),
    headers: z
      .record(
        z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'a name of a header'),
        secret,
        'a JSON object, such as {"authorization":"Bearer …"}',
      )
      .default({})
      .describe('Headers of those posts.'),
  })
  .prefault({})

export const alertsSchema = z
  .strictObject({
    webhook,
    fallbackSeconds: z
      .number()
      .min(1)
      .max(3_600)
      .default(60)
      .describe(
        'When Slack has not taken a message for so long, it goes by the second route, or to the log where there is none.',
      ),
    dailyAt: z
      .string()
      .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day, such as 09:00')
      .optional()
      .describe(
        'When to say once a day that all is well, or what is not, with the figures of the day: a day without this line means that nobody watches.',
      ),
    timeZone: z
      .string()
      .refine(isTimeZone, 'a time zone, such as UTC or Europe/Berlin')
      .default('UTC')
      .describe('Time zone of alerts.dailyAt.'),
    pingUrl: address
      .optional()
      .describe(
        'Address of a dead-man’s switch, asked once a minute while the watchdog sees the pipeline and judges it, and not while it is blind.',
      ),
    pingMethod: z.enum(['GET', 'POST']).default('GET').describe('How alerts.pingUrl is asked.'),
  })
  .prefault({})

/** fetch refuses addresses with them. What is no address at all is said elsewhere. */
function hasNoUser(address: string): boolean {
  if (!URL.canParse(address)) return true
  const { username, password } = new URL(address)
  return username === '' && password === ''
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
