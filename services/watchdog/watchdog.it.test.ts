import { randomUUID } from 'node:crypto'
import { connectKafka, type KafkaConnection, withAdmin } from '@freshet/adapters/kafka/connect.ts'
import { type OutgoingMessage, Producer } from '@freshet/adapters/kafka/producer.ts'
import { createTopics } from '@freshet/adapters/kafka/topics.ts'
import { loadSettings } from '@freshet/config/load.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { type SlackReceiver, startSlackReceiver } from '@freshet/demo/slack-receiver.ts'
import { type Heartbeat, heartbeatKey, heartbeatRecord } from '@freshet/records/heartbeat.ts'
import { groupName, TOPICS, type TopicName, topicName } from '@freshet/records/topics.ts'
import { runHeartbeats } from '@freshet/service/heartbeat-loop.ts'
import { ServiceState } from '@freshet/service/service-state.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { openTelemetry } from '@freshet/telemetry/open.ts'
import { expect, onTestFinished, test, vi } from 'vitest'
import { runWatchdog } from './main.ts'

const DEADLINE = { timeout: 60_000, interval: 50 }
const TEST = { timeout: 180_000 }

test(
  'a group that is held back is told of once, across a restart, and resolved when it has caught up',
  TEST,
  async () => {
    const { settings, slack, topic, write, commit, told } = await openPipeline({ silentSeconds: 600 })
    const old = { partition: 0, value: Buffer.from('{}'), timestampMs: systemClock.nowMs() - 300_000 }
    await write(
      'changes',
      ['a', 'b', 'c'].map((key) => ({ ...old, key: Buffer.from(key) })),
    )
    await commit(groupName(settings.pipeline, 'infer'), topic('changes'), 1)
    const first = startWatchdog(settings, 'watchdog-1')
    await vi.waitFor(() => expect(told()).toHaveLength(1), DEADLINE)
    expect(slack.messages[0]!.text).toMatch(/^FIRING: \S+-infer is [56] min behind/)
    await first.stop()

    startWatchdog(settings, 'watchdog-2')
    await commit(groupName(settings.pipeline, 'infer'), topic('changes'), 3)
    await vi.waitFor(() => expect(told()).toHaveLength(2), DEADLINE)
    expect(slack.messages[1]!.text).toMatch(/^RESOLVED after \d+ s: \S+-infer is [56] min behind/)
  },
)

test(
  'an instance that died is told of once, and resolved when another one takes its place',
  TEST,
  async () => {
    const { settings, slack, write, told } = await openPipeline({ silentSeconds: 15 })
    const nowMs = systemClock.nowMs()
    await write('heartbeats', [
      heartbeat('scorer-1', nowMs - 60_000),
      heartbeat('scorer-2', nowMs - 60_000, 'stopping'),
    ])
    startWatchdog(settings, 'watchdog-1')
    await vi.waitFor(() => expect(told()).toHaveLength(1), DEADLINE)
    expect(slack.messages[0]!.text).toMatch(/^FIRING: scorer-1 has been silent for/)

    const successor = speak(settings, 'scorer', 'scorer-3')
    onTestFinished(() => successor.stop())
    await vi.waitFor(() => expect(told()).toHaveLength(2), DEADLINE)
    expect(slack.messages[1]!.text).toMatch(/^RESOLVED after \d+ s: scorer-1 has been silent for/)
  },
)

/** A pipeline of its own in the real Kafka, and a Slack of its own. */
async function openPipeline({ silentSeconds }: { silentSeconds: number }) {
  const slack: SlackReceiver = await startSlackReceiver({ port: 0 })
  onTestFinished(() => slack.close())
  const settings = ownSettings(slack.url, silentSeconds)
  const { pipeline } = settings
  const topic = (name: TopicName) => topicName(pipeline, name)
  const { log } = quietTelemetry(settings, 'test')
  const connection = connectKafka(settings.kafka, { clientId: 'test', log })
  await createTopics(connection, pipeline, settings.kafka, AbortSignal.timeout(20_000))
  onTestFinished(() => deleteTopics(connection, pipeline))
  const producer = new Producer(connection, { clock: systemClock, log, deadlineMs: 20_000 })
  onTestFinished(() => producer[Symbol.asyncDispose]())
  return {
    settings,
    slack,
    topic,
    told: () => slack.messages,
    write: (name: TopicName, messages: readonly OutgoingMessage[]) =>
      producer.send(topic(name), messages, AbortSignal.timeout(20_000)),
    commit: (groupId: string, to: string, offset: number) =>
      withAdmin(connection, { doing: 'committing', signal: AbortSignal.timeout(20_000) }, (admin) =>
        admin.setOffsets({ groupId, topic: to, partitions: [{ partition: 0, offset: `${offset}` }] }),
      ),
  }
}

function ownSettings(webhookUrl: string, silentSeconds: number): Settings {
  const settings = loadSettings({ env: process.env })
  return {
    ...settings,
    pipeline: `test-${randomUUID()}`,
    kafka: { ...settings.kafka, partitions: 1 },
    watchdog: {
      ...settings.watchdog,
      intervalSeconds: 0.5,
      rules: {
        ...settings.watchdog.rules,
        silent: { ...settings.watchdog.rules.silent, threshold: silentSeconds },
      },
    },
    slack: { webhookUrl },
    telemetry: { ...settings.telemetry, enabled: false, logLevel: 'error' },
  }
}

async function deleteTopics(connection: KafkaConnection, pipeline: string): Promise<void> {
  const topics = (Object.keys(TOPICS) as TopicName[]).map((name) => topicName(pipeline, name))
  await withAdmin(connection, { doing: 'deleting', signal: AbortSignal.timeout(20_000) }, (admin) =>
    admin.deleteTopics({ topics }),
  )
}

function quietTelemetry(settings: Settings, instance: string) {
  return openTelemetry({ settings, service: 'test', instance, format: 'json' })
}

interface Running {
  stop(): Promise<void>
}

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

/** Heartbeats of an instance that lives. */
function speak(settings: Settings, service: string, instance: string): Running {
  const stop = new AbortController()
  const telemetry = quietTelemetry(settings, instance)
  const state = new ServiceState()
  state.running(service)
  const beating = runHeartbeats({
    connection: connectKafka(settings.kafka, { clientId: `${instance}-heartbeat`, log: telemetry.log }),
    pipeline: settings.pipeline,
    service,
    instance,
    telemetry,
    state,
    everyMs: 500,
    clock: systemClock,
    signal: stop.signal,
  })
  return {
    stop() {
      state.stopping()
      stop.abort()
      return beating
    },
  }
}

/** What an instance said long ago. */
function heartbeat(instance: string, atMs: number, status: Heartbeat['status'] = 'running'): OutgoingMessage {
  const value: Heartbeat = {
    version: 1,
    service: 'scorer',
    instance,
    startedAtMs: atMs - 1_000,
    atMs,
    status,
    progress: {},
    metrics: {},
    model: null,
    lastError: null,
    lastErrorAtMs: null,
  }
  return {
    partition: 0,
    key: Buffer.from(heartbeatKey('scorer', instance)),
    value: Buffer.from(heartbeatRecord.encode(value)),
    timestampMs: atMs,
  }
}
