/** A pipeline of its own in the real Kafka, a Slack of its own, and what instances of it say. */
import { randomUUID } from 'node:crypto'
import { connectKafka, type KafkaConnection, withAdmin } from '@freshet/adapters/kafka/connect.ts'
import { type OutgoingMessage, Producer } from '@freshet/adapters/kafka/producer.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import { createTopics } from '@freshet/adapters/kafka/topics.ts'
import { RULE_NAMES, type RuleName } from '@freshet/config/alert-rules.ts'
import { loadSettings } from '@freshet/config/load.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { type SlackReceiver, startSlackReceiver } from '@freshet/demo/slack-receiver.ts'
import { isFreshetError } from '@freshet/errors/errors.ts'
import type { AlertState } from '@freshet/records/alert-state.ts'
import { type Heartbeat, heartbeatKey, heartbeatRecord } from '@freshet/records/heartbeat.ts'
import { TOPICS, type TopicName, topicName } from '@freshet/records/topics.ts'
import { runHeartbeats } from '@freshet/service/heartbeat-loop.ts'
import { ServiceState } from '@freshet/service/service-state.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { openTelemetry } from '@freshet/telemetry/open.ts'
import { onTestFinished } from 'vitest'
import { ControlView } from './alerts/control-view.ts'

export interface WatchedPipeline {
  readonly settings: Settings
  readonly slack: SlackReceiver
  topic(name: TopicName): string
  write(name: TopicName, messages: readonly OutgoingMessage[]): Promise<void>
  commit(groupId: string, topic: string, offset: number): Promise<void>
  /** As after Kafka has lost its data: they are there, and empty. */
  remakeTopics(names: readonly TopicName[]): Promise<void>
  /** What the watchdogs have written down. */
  remembered(): Promise<AlertState | undefined>
}

/** @param rules those that judge, each with its threshold; the others are off */
export async function openWatchedPipeline(
  rules: Partial<Readonly<Record<RuleName, number>>>,
): Promise<WatchedPipeline> {
  const slack = await startSlackReceiver({ port: 0 })
  onTestFinished(() => slack.close())
  const settings = ownSettings(slack.url, rules)
  const { pipeline } = settings
  const topic = (name: TopicName) => topicName(pipeline, name)
  const { log } = quietTelemetry(settings, 'test')
  const connection = connectKafka(settings.kafka, { clientId: 'test', log })
  const create = () =>
    patiently(() => createTopics(connection, pipeline, settings.kafka, AbortSignal.timeout(TOPICS_WITHIN_MS)))
  await create()
  onTestFinished(() => deleteTopics(connection, pipeline))
  const producer = new Producer(connection, { clock: systemClock, log, deadlineMs: 20_000 })
  onTestFinished(() => producer[Symbol.asyncDispose]())
  return {
    settings,
    slack,
    topic,
    write: (name, messages) => producer.send(topic(name), messages, AbortSignal.timeout(20_000)),
    commit: async (groupId, to, offset) => {
      await withAdmin(connection, { doing: 'committing', signal: AbortSignal.timeout(20_000) }, (admin) =>
        admin.setOffsets({ groupId, topic: to, partitions: [{ partition: 0, offset: `${offset}` }] }),
      )
    },
    async remakeTopics(names) {
      const gone = names.map(topic)
      const signal = AbortSignal.timeout(20_000)
      await withAdmin(connection, { doing: 'deleting', signal }, async (admin) => {
        await admin.deleteTopics({ topics: gone })
        while ((await admin.listTopics()).some((name) => gone.includes(name))) signal.throwIfAborted()
      })
      await create()
    },
    async remembered() {
      const view = new ControlView(log)
      await readAll(connection, topic('control'), {
        deadlineMs: TOPICS_WITHIN_MS,
        signal: AbortSignal.timeout(TOPICS_WITHIN_MS),
        onMessage: (_, message) => view.hear(message),
      })
      return view.state()
    },
  }
}

const TOPICS_WITHIN_MS = 60_000

/** A broker of a busy machine may take longer than anybody waits for it. */
async function patiently(work: () => Promise<unknown>): Promise<void> {
  for (let left = 3; ; left--) {
    try {
      await work()
      return
    } catch (error) {
      if (left === 0 || !isFreshetError(error) || !error.retryable) throw error
    }
  }
}

function ownSettings(webhookUrl: string, thresholds: Partial<Readonly<Record<RuleName, number>>>): Settings {
  const settings = loadSettings({ env: process.env })
  const { watchdog } = settings
  const rules = Object.fromEntries(
    RULE_NAMES.map((name) => {
      const threshold = thresholds[name]
      return [
        name,
        threshold === undefined
          ? { ...watchdog.rules[name], enabled: false }
          : { ...watchdog.rules[name], threshold },
      ]
    }),
  ) as typeof watchdog.rules
  return {
    ...settings,
    pipeline: `test-${randomUUID()}`,
    kafka: { ...settings.kafka, partitions: 1 },
    watchdog: { ...watchdog, intervalSeconds: 0.5, resolveSeconds: 1, pagePort: null, rules },
    slack: { ...settings.slack, webhookUrl },
    telemetry: { ...settings.telemetry, enabled: false, logLevel: 'error' },
  }
}

async function deleteTopics(connection: KafkaConnection, pipeline: string): Promise<void> {
  const topics = (Object.keys(TOPICS) as TopicName[]).map((name) => topicName(pipeline, name))
  await withAdmin(connection, { doing: 'deleting', signal: AbortSignal.timeout(20_000) }, (admin) =>
    admin.deleteTopics({ topics }),
  )
}

export function quietTelemetry(settings: Settings, instance: string) {
  return openTelemetry({ settings, service: 'test', instance, format: 'json' })
}

export interface Running {
  stop(): Promise<void>
}

/** Heartbeats of an instance that lives. */
export function speak(settings: Settings, service: string, instance: string): Running {
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
  const running = {
    stop() {
      state.stopping()
      stop.abort()
      return beating
    },
  }
  onTestFinished(() => running.stop())
  return running
}

/** What an instance said long ago. */
export function heartbeatOf(
  service: string,
  instance: string,
  { atMs, status = 'running' }: { readonly atMs: number; readonly status?: Heartbeat['status'] },
): OutgoingMessage {
  const value: Heartbeat = {
    ...{ version: 1, service, instance, startedAtMs: atMs - 1_000, atMs, status },
    ...{ progress: {}, metrics: {}, model: null, lastError: null, lastErrorAtMs: null },
  }
  return {
    partition: 0,
    key: Buffer.from(heartbeatKey(service, instance)),
    value: Buffer.from(heartbeatRecord.encode(value)),
    timestampMs: atMs,
  }
}
