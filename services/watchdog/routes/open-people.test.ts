import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { settingsSchema } from '@freshet/config/schema.ts'
import { SLACK_TROUBLES, startSlackReceiver } from '@freshet/demo/slack-receiver.ts'
import type { Alert } from '@freshet/records/alert-state.ts'
import type { Order } from '@freshet/records/control.ts'
import { ServiceState } from '@freshet/service/service-state.ts'
import { type SteppedClock, steppedClock } from '@freshet/stage/clock.kit.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Metrics } from '@freshet/telemetry/metrics.ts'
import { expect, onTestFinished, test } from 'vitest'
import { facts } from '../rules/facts.kit.ts'
import { lagFinding, lagMessage } from './notice.kit.ts'
import { openPeople } from './open-people.ts'

const silence: Order = {
  ...{ version: 1, order: 'silence', id: 's', match: 'drift', by: 'ann', reason: 'known' },
  ...{ atMs: 0, untilMs: Date.UTC(2026, 10, 30, 10) },
}

const never = new AbortController().signal

/** The ways to people of a watchdog that has Slack and a dead-man's switch. */
async function openedPeople(state: { speaks: boolean }) {
  let pings = 0
  const server = createServer((_request, response) => {
    pings++
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close().closeAllConnections())
  const slack = await startSlackReceiver({ port: 0 })
  onTestFinished(() => slack.close())
  const stepped = steppedClock()
  let rests = 0
  const clock: SteppedClock = {
    ...stepped,
    sleep(ms, signal) {
      rests++
      return stepped.sleep(ms, signal)
    },
  }
  const metrics = new Metrics()
  const report = new ServiceState()
  const settings = settingsSchema.parse({
    slack: { webhookUrl: slack.url },
    alerts: { pingUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, fallbackSeconds: 1 },
  })
  const opened = openPeople(
    { settings, instance: 'watchdog-1', telemetry: { log: quietLog, metrics }, report },
    { speaks: () => state.speaks, orders: () => [silence], waiting: () => [], clock },
  )
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  void opened.run(stop.signal)
  /** Whether the switch is asked when the next turn comes: until the loop rests again. */
  const pingsNow = async () => {
    const before = { pings, rests }
    clock.step()
    await expect.poll(() => rests).toBe(before.rests + 1)
    return pings > before.pings
  }
  return { people: opened, slack, clock, metrics, report, pingsNow }
}

const blinding: Alert = {
  ...{
    phase: 'firing',
    sinceMs: 0,
    measures: [],
    openings: [],
    flapping: false,
    toldAtMs: 0,
    heldBack: null,
  },
  ...{ finding: { ...lagFinding, blinds: true }, goodSinceMs: null },
}

test('the switch is asked only while the watchdog speaks, has looked lately, sees, and can tell people', async () => {
  const state = { speaks: true }
  const { people, pingsNow, clock, slack, report, metrics } = await openedPeople(state)
  const see = (worse = {}, alerts: Alert[] = []) =>
    people.looked(facts({ atMs: clock.nowMs() + 60_000, ...worse }), alerts)
  expect(await pingsNow()).toBe(false)
  see()
  expect(await pingsNow()).toBe(true)
  see({ kafka: { answersSinceMs: null, fault: { sinceMs: 0, error: 'KAFKA_UNREACHABLE: away' } } })
  expect(await pingsNow()).toBe(false)
  see({}, [blinding])
  expect(await pingsNow()).toBe(false)
  state.speaks = false
  see()
  expect(await pingsNow()).toBe(false)
  state.speaks = true
  expect(await pingsNow()).toBe(true)
  expect(await pingsNow()).toBe(true)
  expect(await pingsNow()).toBe(false) // its last look is more than a minute old

  slack.behave(SLACK_TROUBLES.channelArchived)
  const stop = new AbortController()
  const delivering = people.route.deliver(lagMessage(), stop.signal)
  await expect.poll(() => report.snapshot().status).toBe('failing')
  stop.abort()
  expect(await delivering).toBe('untold')
  see()
  expect(await pingsNow()).toBe(false)
  expect(metrics.values()['freshet.alerts.given_up']).toBe(0)
  expect(report.snapshot()).toMatchObject({
    status: 'failing',
    failing: [{ worker: 'slack', error: 'SLACK_REFUSED: Slack answers 410 channel_is_archived' }],
  })
})

test('an alert says what else would not be told', async () => {
  const { people, slack } = await openedPeople({ speaks: true })
  await people.route.deliver(lagMessage(), never)
  expect(JSON.stringify(slack.messages[0]!.blocks)).toContain(
    'Silenced: drift until 2026-11-30 10:00 UTC (ann: known)',
  )
})
