import type { Settings } from '@freshet/config/schema.ts'
import { controlKey, type Order, orderRecord } from '@freshet/records/control.ts'
import { groupName } from '@freshet/records/topics.ts'
import { ServiceState } from '@freshet/service/service-state.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { expect, onTestFinished, test, vi } from 'vitest'
import { runWatchdog } from './main.ts'
import {
  heartbeatOf,
  openWatchedPipeline,
  quietTelemetry,
  type Running,
  speak,
} from './watched-pipeline.kit.ts'

const DEADLINE = { timeout: 90_000, interval: 50 }
const TEST = { timeout: 240_000 }

test(
  'a group that is held back is told of once, across a restart, and resolved when it has caught up',
  TEST,
  async () => {
    const { settings, slack, topic, write, commit } = await openWatchedPipeline({ lag: 60 })
    const old = { partition: 0, value: Buffer.from('{}'), timestampMs: systemClock.nowMs() - 300_000 }
    await write(
      'changes',
      ['a', 'b', 'c'].map((key) => ({ ...old, key: Buffer.from(key) })),
    )
    await commit(groupName(settings.pipeline, 'infer'), topic('changes'), 1)
    const first = startWatchdog(settings, 'watchdog-1')
    await vi.waitFor(() => expect(slack.messages).toHaveLength(1), DEADLINE)
    expect(slack.messages[0]!.text).toMatch(/\S+-infer is \d+ min behind/)
    await first.stop()

    startWatchdog(settings, 'watchdog-2')
    await commit(groupName(settings.pipeline, 'infer'), topic('changes'), 3)
    await vi.waitFor(() => expect(slack.messages).toHaveLength(2), DEADLINE)
    expect(slack.messages[1]!.text).toMatch(/RESOLVED after \d+ .*: \S+-infer is \d+ min behind/i)
  },
)

test(
  'an instance that died is told of once, after maintenance is over, and resolved when another one takes its place',
  TEST,
  async () => {
    const pipeline = await openWatchedPipeline({ silent: 15 })
    const { settings, slack, write } = pipeline
    const nowMs = systemClock.nowMs()
    const maintenance: Order = {
      ...{ order: 'maintenance', version: 1, by: 'anna', reason: 'a move' },
      ...{ atMs: nowMs, untilMs: nowMs + 3_600_000 },
    }
    const order = { partition: 0, key: Buffer.from(controlKey(maintenance)) }
    await write('control', [{ ...order, value: Buffer.from(orderRecord.encode(maintenance)) }])
    const atMs = nowMs - 60_000
    await write('heartbeats', [
      heartbeatOf('scorer', 'scorer-1', { atMs }),
      heartbeatOf('scorer', 'scorer-2', { atMs, status: 'stopping' }),
    ])
    startWatchdog(settings, 'watchdog-1')
    const heldBack = async () => (await pipeline.remembered())?.alerts.map((alert) => alert.heldBack)
    await vi.waitFor(async () => expect(await heldBack()).toEqual(['maintenance']), DEADLINE)
    expect(slack.messages).toEqual([])

    await write('control', [{ ...order, value: null }])
    await vi.waitFor(() => expect(slack.messages).toHaveLength(1), DEADLINE)
    expect(slack.messages[0]!.text).toMatch(/scorer-1 has been silent for/)

    speak(settings, 'scorer', 'scorer-3')
    await vi.waitFor(() => expect(slack.messages).toHaveLength(2), DEADLINE)
    expect(slack.messages[1]!.text).toMatch(/RESOLVED after \d+ .*: scorer-1 has been silent for/i)
  },
)

test(
  'a watchdog outlives topics that are made anew: it hears, speaks and remembers as before',
  TEST,
  async () => {
    const pipeline = await openWatchedPipeline({ silent: 15 })
    const { settings, slack, write, remakeTopics } = pipeline
    const atMs = systemClock.nowMs() - 60_000
    const past = Array.from({ length: 500 }, () =>
      heartbeatOf('scorer', 'scorer-0', { atMs, status: 'stopping' }),
    )
    await write('heartbeats', [...past, heartbeatOf('scorer', 'scorer-1', { atMs })])
    const nothing = { partition: 0, key: Buffer.from('silence/none'), value: null }
    await write('control', Array<typeof nothing>(500).fill(nothing)) // the new topic has less
    startWatchdog(settings, 'watchdog-1')
    await vi.waitFor(() => expect(slack.messages).toHaveLength(1), DEADLINE)
    expect(slack.messages[0]!.text).toMatch(/scorer-1 has been silent for/)

    await remakeTopics(['control', 'heartbeats'])
    await write('heartbeats', [heartbeatOf('gateway', 'gateway-1', { atMs })])
    await vi.waitFor(() => expect(slack.messages).toHaveLength(2), DEADLINE)
    expect(slack.messages[1]!.text).toMatch(/gateway-1 has been silent for/)
    const told = async () => (await pipeline.remembered())?.alerts.map(({ finding }) => finding.id)
    await vi.waitFor(
      async () => expect(await told()).toEqual(['silent/scorer-1', 'silent/gateway-1']),
      DEADLINE,
    )
  },
)

/** As the harness runs it: with heartbeats of its own. */
function startWatchdog(settings: Settings, instance: string): Running {
  const stop = new AbortController()
  const telemetry = quietTelemetry(settings, instance)
  const report = new ServiceState()
  const heart = speak(settings, 'watchdog', instance)
  const watchdog = runWatchdog({ settings, instance, telemetry, signal: stop.signal, report })
  const running = {
    async stop() {
      stop.abort()
      await Promise.all([watchdog, heart.stop()])
    },
  }
  onTestFinished(() => running.stop())
  return running
}
