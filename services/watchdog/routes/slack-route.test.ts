import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startSlackReceiver } from '@freshet/demo/slack-receiver.ts'
import type { AlertMessage, Finding } from '@freshet/records/alert-state.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import type { Log } from '@freshet/stage/log.ts'
import { expect, onTestFinished, test, vi } from 'vitest'
import { SlackRoute } from './slack-route.ts'

const finding: Finding = {
  id: 'lag/air-infer',
  kind: 'lag',
  severity: 'critical',
  forSeconds: 10,
  title: 'air-infer is 42 s behind',
  details: {},
}
const alert: AlertMessage = {
  id: '1-0',
  change: 'firing',
  atMs: 10_000,
  alerts: [{ finding, sinceMs: 0, measures: [] }],
  more: 0,
  begunAtMs: null,
}

const quiet = () => ({ debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() }) satisfies Log

function openRoute(webhookUrl: string, clock = handClock()) {
  const log = quiet()
  return { clock, log, route: new SlackRoute({ webhookUrl, pipeline: 'air', clock, log }) }
}

/** Answers each post as told; the last answer for ever. */
async function server(...answers: { status: number; body: string; retryAfter?: number }[]) {
  const posts: { text: string; blocks?: unknown[] }[] = []
  const http = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      posts.push(JSON.parse(body))
      const { status, body: text, retryAfter } = answers.length > 1 ? answers.shift()! : answers[0]!
      if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter)
      response.writeHead(status).end(text)
    })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void http.close())
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/`, posts }
}

const never = new AbortController().signal

test('an alert arrives in Slack', async () => {
  await using slack = await startSlackReceiver({ port: 0 })
  const { route } = openRoute(slack.url)
  expect(await route.deliver(alert, never)).toBe(true)
  expect(slack.messages.map(({ text }) => text)).toEqual(['FIRING: air-infer is 42 s behind (pipeline air)'])
})

test('twenty alerts at once all arrive, since the sender waits as long as Slack asks', async () => {
  const clock = handClock()
  await using slack = await startSlackReceiver({ port: 0, nowMs: clock.nowMs })
  const { route } = openRoute(slack.url, clock)
  for (let count = 0; count < 20; count++) await route.deliver(alert, never)
  expect(slack.messages).toHaveLength(20)
  expect(Math.min(...clock.sleeps)).toBeGreaterThanOrEqual(1_000)
})

test('an alert survives errors of Slack and arrives once', async () => {
  const { url, posts } = await server(
    { status: 500, body: 'rollup_error' },
    { status: 429, body: 'rate_limited', retryAfter: 30 },
    { status: 503, body: '' },
    { status: 200, body: 'ok' },
  )
  const { route, clock, log } = openRoute(url)
  expect(await route.deliver(alert, never)).toBe(true)
  expect(posts).toHaveLength(4)
  expect(clock.sleeps[1]).toBeGreaterThanOrEqual(30_000)
  expect(log.warn).toHaveBeenCalledOnce()
})

test('a form that Slack refuses goes once more as plain text', async () => {
  const { url, posts } = await server({ status: 400, body: 'invalid_blocks' }, { status: 200, body: 'ok' })
  expect(await openRoute(url).route.deliver(alert, never)).toBe(true)
  expect(posts.map(({ blocks }) => blocks !== undefined)).toEqual([true, false])
})

test.each([
  [404, 'no_service'],
  [403, 'invalid_token'],
  [410, 'channel_is_archived'],
])('a webhook that is no more (%i %s) is refused at once, by name', async (status, body) => {
  const { url, posts } = await server({ status, body })
  await expect(openRoute(url).route.deliver(alert, never)).rejects.toMatchObject({
    code: 'SLACK_REFUSED',
    message: `Slack answers ${status} ${body}`,
  })
  expect(posts).toHaveLength(1)
})

test('a stop ends the wait for Slack, and the alert counts as not told', async () => {
  const stop = new AbortController()
  const clock = { ...handClock(), sleep: async () => stop.abort() }
  const { url } = await server({ status: 500, body: '' })
  const route = new SlackRoute({ webhookUrl: url, pipeline: 'air', clock, log: quiet() })
  expect(await route.deliver(alert, stop.signal)).toBe(false)
})
