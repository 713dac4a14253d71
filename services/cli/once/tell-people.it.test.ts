import { Buffer } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { createTopics } from '@freshet/adapters/kafka/topics.ts'
import { ensureBucket } from '@freshet/adapters/s3/s3-bucket.ts'
import { loadSettings } from '@freshet/config/load.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { startWebhookReceiver } from '@freshet/demo/receivers/webhook-receiver.ts'
import { SLACK_TROUBLES, startSlackReceiver } from '@freshet/demo/slack-receiver.ts'
import { type Heartbeat, heartbeatKey, heartbeatRecord } from '@freshet/records/heartbeat.ts'
import { topicName } from '@freshet/records/topics.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, test } from 'vitest'
import { tellPeople } from './tell-people.ts'

const late = { code: 'DEADLINE', message: '3 changes are not scored' }
const soon = () => AbortSignal.timeout(45_000)

/** Topics and a bucket; what was told of runs is forgotten. */
async function openPipeline(webhookUrl: string): Promise<Settings> {
  const pipeline = `t${randomUUID()}`
  const settings = loadSettings({
    env: {
      ...process.env,
      FRESHET_PIPELINE: pipeline,
      FRESHET_S3_PREFIX: pipeline,
      FRESHET_SLACK_WEBHOOK_URL: webhookUrl,
    },
  })
  const connection = connectKafka(settings.kafka, { clientId: 'test', log: quietLog })
  await createTopics(connection, pipeline, settings.kafka, soon())
  await ensureBucket(settings.s3)
  return settings
}

function withoutRule({ watchdog, ...settings }: Settings): Settings {
  const once = { ...watchdog.rules.once, enabled: false }
  return { ...settings, watchdog: { ...watchdog, rules: { ...watchdog.rules, once } } }
}

async function beat({ kafka, pipeline }: Settings, heartbeat: Partial<Heartbeat>): Promise<void> {
  const connection = connectKafka(kafka, { clientId: 'test', log: quietLog })
  await using producer = new Producer(connection, { clock: systemClock, log: quietLog, deadlineMs: 30_000 })
  const whole: Heartbeat = {
    version: 1,
    ...{ service: 'watchdog', instance: 'watchdog-1', startedAtMs: 1, atMs: Date.now(), status: 'running' },
    ...{ progress: {}, metrics: {}, model: null, lastError: null, lastErrorAtMs: null },
    ...heartbeat,
  }
  const key = Buffer.from(heartbeatKey(whole.service, whole.instance))
  const value = Buffer.from(heartbeatRecord.encode(whole))
  await producer.send(topicName(pipeline, 'heartbeats'), [{ partition: 0, key, value }], soon())
}

test('where a watchdog lives, a failed run leaves the telling to it; one that has stopped tells nobody', async () => {
  await using slack = await startSlackReceiver({ port: 0 })
  const settings = await openPipeline(slack.url)
  await beat(settings, { service: 'scorer', instance: 'of-a-newer-build', version: 2 as never })
  await beat(settings, {})
  await tellPeople(settings, late)
  expect(slack.messages).toEqual([])
  await beat(settings, { status: 'stopping' })
  await tellPeople(settings, late)
  expect(slack.messages.map(({ text }) => text)).toEqual([expect.stringMatching(/^FIRING: a run/)])
})

test('with Kafka and S3 away people are told all the same, rather too often than never', async () => {
  await using slack = await startSlackReceiver({ port: 0 })
  const settings = loadSettings({
    env: {
      ...process.env,
      FRESHET_KAFKA_BROKERS: '127.0.0.1:1',
      FRESHET_S3_ENDPOINT: 'http://127.0.0.1:1',
      FRESHET_SLACK_WEBHOOK_URL: slack.url,
    },
  })
  await tellPeople(settings, { code: 'KAFKA_UNREACHABLE', message: 'no answer' })
  expect(slack.messages.map(({ text }) => text)).toEqual([expect.stringMatching(/^FIRING: a run/)])
})

test('nobody is told by a rule that is put out of force', async () => {
  await using slack = await startSlackReceiver({ port: 0 })
  const settings = loadSettings({
    env: {
      ...process.env,
      FRESHET_KAFKA_BROKERS: '127.0.0.1:1',
      FRESHET_S3_ENDPOINT: 'http://127.0.0.1:1',
      FRESHET_SLACK_WEBHOOK_URL: slack.url,
    },
  })
  await tellPeople(withoutRule(settings), { code: 'KAFKA_UNREACHABLE', message: 'no answer' })
  expect(slack.messages.map(({ text }) => text)).toEqual([])
})

test('with the webhook of Slack revoked people are told by the second route', async () => {
  await using slack = await startSlackReceiver({ port: 0 })
  await using second = await startWebhookReceiver({ port: 0 })
  slack.behave(SLACK_TROUBLES.noService)
  const settings = loadSettings({
    env: {
      ...process.env,
      FRESHET_KAFKA_BROKERS: '127.0.0.1:1',
      FRESHET_S3_ENDPOINT: 'http://127.0.0.1:1',
      FRESHET_SLACK_WEBHOOK_URL: slack.url,
      FRESHET_ALERTS_WEBHOOK_URL: second.url,
    },
  })
  await tellPeople(settings, late)
  expect(second.messages).toMatchObject([{ headline: 'FIRING: a run of `freshet once` failed' }])
  expect(slack.posts).toHaveLength(1)
})
