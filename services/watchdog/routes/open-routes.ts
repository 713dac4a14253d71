import type { Settings } from '@freshet/config/schema.ts'
import type { NoticeContext } from './alert-to-notice.ts'
import { readingOf } from './reading-links.ts'
import { RouteChain, type RouteChainOptions } from './route-chain.ts'
import { SlackWay } from './ways/slack-way.ts'
import type { Way } from './ways/way.ts'
import { WebhookWay } from './ways/webhook-way.ts'

type RouteSettings = Pick<Settings, 'pipeline' | 'slack' | 'alerts' | 'kibana' | 'watchdog'>

/** The ways to people that are set: Slack first, then the second route; without either the log. */
export function openRoutes(
  settings: RouteSettings,
  options: Omit<RouteChainOptions, 'ways' | 'context' | 'fallbackMs'>,
): RouteChain {
  const { slack, alerts } = settings
  const { clock, log } = options
  const { url, format, headers } = alerts.webhook
  const ways: Way[] = [
    ...(slack.webhookUrl === undefined ? [] : [new SlackWay({ webhookUrl: slack.webhookUrl, clock, log })]),
    ...(url === undefined ? [] : [new WebhookWay({ url, format, headers, clock, log })]),
  ]
  return new RouteChain({
    ...options,
    ways,
    context: noticeContext(settings),
    fallbackMs: alerts.fallbackSeconds * 1000,
  })
}

/** What links in messages lead to. */
export function noticeContext(settings: RouteSettings): NoticeContext {
  return {
    pipeline: settings.pipeline,
    ...readingOf(settings),
  }
}
