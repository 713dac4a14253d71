import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { startWebhookReceiver } from '@freshet/demo/receivers/webhook-receiver.ts'
import { SLACK_TROUBLES } from '@freshet/demo/slack-receiver.ts'
import { ServiceState } from '@freshet/service/service-state.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, onTestFinished, test } from 'vitest'
import { runWatchdog } from '../main.ts'
import { heartbeatOf, openWatchedPipeline, quietTelemetry, speak } from '../watched-pipeline.kit.ts'
import { DailyStore } from './daily/daily-store.ts'

const DEADLINE = { timeout: 90_000, interval: 50 }
const soon = () => AbortSignal.timeout(60_000)

/** A dead-man's switch. */
async function deadMansSwitch() {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.end('OK')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close().closeAllConnections())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ping`, asked }
}

function startWatchdog(settings: Settings) {
  const stop = new AbortController()
  const instance = 'watchdog-1'
  const report = new ServiceState()
  speak(settings, 'watchdog', instance)
  const telemetry = quietTelemetry(settings, instance)
  const running = runWatchdog({ settings, instance, telemetry, signal: stop.signal, report })
  onTestFinished(async () => {
    stop.abort()
    await running
  })
  return report
}

test('with the channel of Slack archived, people have alert and daily line by the second route, and the switch knows', async () => {
  const { settings, slack, write } = await openWatchedPipeline({ silent: 15 })
  const second = await startWebhookReceiver({ port: 0, authorization: 'Bearer s' })
  onTestFinished(() => second.close())
  const { url: pingUrl, asked } = await deadMansSwitch()
  slack.behave(SLACK_TROUBLES.channelArchived)
  await write('heartbeats', [heartbeatOf('scorer', 'scorer-1', { atMs: systemClock.nowMs() - 60_000 })])

  const headers = { authorization: 'Bearer s' }
  const report = startWatchdog({
    ...settings,
    alerts: {
      ...settings.alerts,
      ...{ dailyAt: '00:00', pingUrl, webhook: { url: second.url, format: 'json', headers } },
    },
  })
  const shown = () => second.messages.map(({ kind, headline }) => `${kind}: ${headline}`).sort()
  await expect
    .poll(shown, DEADLINE)
    .toEqual([
      expect.stringMatching(/^alerts: FIRING: scorer-1 has been silent for/),
      expect.stringMatching(/^daily: /),
    ])
  const { figures } = second.messages.find(({ kind }) => kind === 'daily')!
  expect(Object.keys(figures)).toEqual(
    expect.arrayContaining(['Documents scored', 'Freshness', 'Answers by source']),
  )
  expect(report.snapshot().failing).toMatchObject([{ worker: 'slack' }])
  await expect.poll(() => asked.length, DEADLINE).toBeGreaterThan(0)
  expect(slack.messages).toEqual([])
}, 180_000)

test('which daily line was told is remembered for the next watchdog', async () => {
  const { settings } = await openWatchedPipeline({})
  const { pipeline } = settings
  const open = () =>
    new DailyStore(connectKafka(settings.kafka, { clientId: 'test-daily', log: quietLog }), {
      ...{ pipeline, clock: systemClock, log: quietLog },
    })
  expect(await open().load(soon())).toBeUndefined()
  await open().save({ version: 1, day: '2026-11-29', toldAtMs: 1 }, soon())
  await open().save({ version: 1, day: '2026-11-30', toldAtMs: 2 }, soon())
  expect(await open().load(soon())).toMatchObject({ day: '2026-11-30' })
}, 120_000)
