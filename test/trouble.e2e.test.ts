import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { createTopics } from '@freshet/adapters/kafka/topics.ts'
import { RedisServer } from '@freshet/adapters/redis/redis-server.kit.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { topicName } from '@freshet/records/topics.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { describe, expect, test } from 'vitest'
import { freshet, type Outcome } from './freshet.ts'
import { Stack } from './stack.ts'

/** Exit code 2, the error's code, what is wrong, what to do, and no stack. */
function expectOneClearError({ code, stdout, stderr }: Outcome, errorCode: string, about: RegExp): void {
  const everything = stdout + stderr
  expect(code, everything).toBe(2)
  expect(everything).toContain(errorCode)
  expect(everything).toMatch(about)
  expect(everything).not.toMatch(/\n\s+at .*[:(]\d+/)
}

describe('one clear error, exit code 2 and no stack for', () => {
  test('a wrong setting', async () => {
    const outcome = await freshet(['run', 'poller'], { FRESHET_GATEWAY_DEADLINE_MS: 'soon' })
    expectOneClearError(outcome, 'CONFIG_INVALID', /gateway\.deadlineMs/)
  })

  test('a setting that does not exist', async () => {
    expectOneClearError(
      await freshet(['settings'], { FRESHET_GATEWAY_PROT: '1' }),
      'CONFIG_INVALID',
      /FRESHET_GATEWAY_PROT/,
    )
  })

  test('an unknown key in the file', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'freshet-')), 'freshet.yaml')
    writeFileSync(file, 'elasticsearch:\n  indx: flights\n')
    expectOneClearError(await freshet(['--config', file, 'settings']), 'CONFIG_INVALID', /indx/)
  })

  test('a file that is not there', async () => {
    expectOneClearError(
      await freshet(['--config', '/nonexistent.yaml', 'settings']),
      'CONFIG_MISSING',
      /nonexistent\.yaml/,
    )
  })

  test('an unknown command, service, argument or option', async () => {
    expect((await freshet(['dance'])).code).toBe(2)
    for (const mistake of ['x', '--bogus'])
      expect((await freshet(['snapshot', 'check', mistake])).code, mistake).toBe(2) // 1: a damaged file
    expectOneClearError(await freshet(['run', 'dancer']), 'USAGE', /poller, scorer, gateway, watchdog/)
  })

  test('an Elasticsearch that is not there', async () => {
    const outcome = await freshet(['run', 'poller'], { FRESHET_ELASTICSEARCH_URL: 'http://127.0.0.1:1' })
    expectOneClearError(outcome, 'ELASTICSEARCH_UNREACHABLE', /127\.0\.0\.1:1/)
  })

  test('a missing index', async () => {
    const outcome = await freshet(['run', 'poller'], { FRESHET_ELASTICSEARCH_INDEX: 'no-such-index' })
    expectOneClearError(outcome, 'INDEX_MISSING', /no-such-index/)
  })

  test('a Kafka that is not there', async () => {
    const outcome = await freshet(['run', 'scorer'], { FRESHET_KAFKA_BROKERS: '127.0.0.1:1' })
    expectOneClearError(outcome, 'KAFKA_UNREACHABLE', /127\.0\.0\.1:1/)
  })

  test('a Kafka that takes connections and answers nothing, as one that is frozen', async () => {
    const frozen = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1')
    await once(frozen, 'listening')
    const { port } = frozen.address() as AddressInfo
    const broker = { FRESHET_KAFKA_BROKERS: `127.0.0.1:${port}` }
    const outcome = await freshet(['once', '--deadline', '1', '--json'], broker)
    frozen.close()
    expectOneClearError(outcome, 'KAFKA_UNREACHABLE', /before a broker answered/)
    expect(JSON.parse(outcome.stdout.trim().split('\n').at(-1)!)).toMatchObject({
      outcome: 'failed',
      error: { code: 'KAFKA_UNREACHABLE' },
    })
  })

  test('topics that were never made', async () => {
    expectOneClearError(
      await freshet(['run', 'scorer'], { FRESHET_PIPELINE: 'nobody' }),
      'TOPIC_MISSING',
      /nobody\./,
    )
  })

  test('a topic with the wrong cleanup policy', async () => {
    const pipeline = `policy${process.pid}`
    const settings = loadSettings({ env: { ...process.env, FRESHET_PIPELINE: pipeline } })
    const connection = connectKafka(settings.kafka, { clientId: 'test', log: quietLog })
    await createTopics(
      connection,
      pipeline,
      { ...settings.kafka, partitions: 1 },
      AbortSignal.timeout(20_000),
    )
    await setCleanupPolicy(settings.kafka.brokers, topicName(pipeline, 'changes'), 'delete')
    expectOneClearError(
      await freshet(['run', 'scorer'], { FRESHET_PIPELINE: pipeline }),
      'TOPIC_POLICY',
      /cleanup\.policy/,
    )
  })

  test('a Redis that is not there', async () => {
    await using stack = await Stack.open()
    const outcome = await freshet(['run', 'scorer'], {
      FRESHET_PIPELINE: stack.settings.pipeline,
      FRESHET_S3_PREFIX: stack.settings.s3.prefix,
      FRESHET_REDIS_URL: 'redis://127.0.0.1:1',
    })
    expectOneClearError(outcome, 'REDIS_UNREACHABLE', /127\.0\.0\.1:1/)
  })

  test('a wrong password of Redis', async () => {
    await using stack = await Stack.open()
    await using redis = await RedisServer.start(['--requirepass', 'right'])
    const outcome = await freshet(['run', 'scorer'], {
      FRESHET_PIPELINE: stack.settings.pipeline,
      FRESHET_S3_PREFIX: stack.settings.s3.prefix,
      FRESHET_REDIS_URL: `redis://:wrong@127.0.0.1:${redis.port}`,
    })
    expectOneClearError(outcome, 'REDIS_UNAUTHORIZED', /127\.0\.0\.1/)
    expect(outcome.stderr + outcome.stdout).not.toContain('wrong@')
  })

  test('a gateway port that is taken', async () => {
    await using stack = await Stack.open()
    stack.start('gateway')
    await stack.gatewayReady()
    const outcome = await freshet(['run', 'gateway'], {
      FRESHET_GATEWAY_PORT: new URL(stack.gatewayUrl).port,
    })
    expectOneClearError(outcome, 'PORT_TAKEN', /gateway\.port|port/)
  })
})

describe('secrets', () => {
  test('are not shown', async () => {
    const { stdout } = await freshet(['--json', 'settings'], {
      FRESHET_ELASTICSEARCH_URL: 'http://elastic:hunter2@127.0.0.1:9200',
      FRESHET_SLACK_WEBHOOK_URL: 'http://127.0.0.1/hunter2',
    })
    expect(stdout).not.toContain('hunter2')
    expect(JSON.parse(stdout)).toMatchObject({ elasticsearch: { url: 'http://elastic:***@127.0.0.1:9200' } })
  })
})

async function setCleanupPolicy(brokers: readonly string[], topic: string, value: string): Promise<void> {
  const { ConfigResourceTypes, Kafka, logLevel } = (await import('kafkajs')).default
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.alterConfigs({
    validateOnly: false,
    resources: [
      { type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name: 'cleanup.policy', value }] },
    ],
  })
  await admin.disconnect()
}
