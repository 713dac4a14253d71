import { Buffer } from 'node:buffer'
import { connectKafka, withAdmin } from '@freshet/adapters/kafka/connect.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { type ReplayOptions, replayOnce } from '@freshet/cli/replay/replay-once.ts'
import { isClean, type ReplayReport } from '@freshet/cli/replay/replay-report.ts'
import { readFlights } from '@freshet/demo/flights.ts'
import { promoteAgain } from '@freshet/model/bundle/pointer-store.ts'
import { readRedisScores } from '@freshet/oracle/redis-scores.ts'
import { DEAD_LETTER_HEADER, deadLetterRecord } from '@freshet/records/dead-letter.ts'
import { scoreBatchOf } from '@freshet/records/score-batch.kit.ts'
import { encodeScoreBatch } from '@freshet/records/score-batch.ts'
import { type TopicName, topicName } from '@freshet/records/topics.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { describe, expect, test } from 'vitest'
import { freshet } from './freshet.ts'
import { Stack } from './stack.ts'
import { until } from './until.ts'

/** Traces are no part of this. */
const QUIET = { FRESHET_TELEMETRY_ENABLED: 'false' }
const [flight, other] = (await readFlights()).map(({ document }) => document) as [object, object]

const connectionOf = ({ settings }: Stack) =>
  connectKafka(settings.kafka, { clientId: 'test', log: quietLog })

async function setMaxMessageBytes(stack: Stack, bytes: number): Promise<void> {
  const { ConfigResourceTypes } = (await import('kafkajs')).default
  const signal = AbortSignal.timeout(30_000)
  await withAdmin(connectionOf(stack), { doing: 'setting the bound', signal }, (admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: ConfigResourceTypes.TOPIC,
          name: topicName(stack.settings.pipeline, 'changes'),
          configEntries: [
            { name: 'cleanup.policy', value: 'compact' },
            { name: 'max.message.bytes', value: `${bytes}` },
          ],
        },
      ],
    }),
  )
}

async function send(
  stack: Stack,
  topic: TopicName,
  {
    key = null,
    value,
    headers = {},
  }: { key?: Buffer | null; value: Buffer; headers?: Record<string, Buffer> },
): Promise<void> {
  await using producer = new Producer(connectionOf(stack), {
    clock: systemClock,
    log: quietLog,
    deadlineMs: 30_000,
  })
  const message = { partition: 0, key, value, headers }
  await producer.send(topicName(stack.settings.pipeline, topic), [message], AbortSignal.timeout(30_000))
}

/** Of a batch that an older build could not read. */
async function sendReadableBatch(stack: Stack): Promise<void> {
  const letter = deadLetterRecord.encode({
    version: 2,
    ...{ code: 'RECORD_MALFORMED', message: 'unknown columns', at: null, model: null },
    ...{ topic: topicName(stack.settings.pipeline, 'scores'), partition: 1, offset: 7, document: null },
    diedAtMs: Date.now(),
  })
  const { name, version, outputs } = stack.bundle.spec
  const header = {
    partition: 1,
    model: { name, version, generation: 1 },
    outputs: outputs.map((output) => output.name),
  }
  const value = encodeScoreBatch(scoreBatchOf([{ key: 'of-a-batch', outputs: [1] }], header))
  await send(stack, 'dead', { value, headers: { [DEAD_LETTER_HEADER]: Buffer.from(letter) } })
}

/** As people do it. */
async function replay(stack: Stack, ...args: readonly string[]) {
  const { code, stdout, stderr } = await freshet(['--json', 'replay', '--dead', ...args], stack.env)
  expect(stdout, stderr).toMatch(/^\{.*\}\n$/)
  return { code, fates: fatesOf(JSON.parse(stdout) as ReplayReport) }
}

/** The same in this process: a start of Node costs more than most replays. */
async function replayHere({ settings }: Stack, options: Partial<ReplayOptions> = {}) {
  const all = { code: undefined, sinceMs: 0, isDryRun: false, onProgress: () => {} }
  const report = await replayOnce(settings, { ...all, ...options }, AbortSignal.timeout(60_000))
  return { code: isClean(report) ? 0 : 1, fates: fatesOf(report) }
}

function fatesOf({ letters }: ReplayReport): string[] {
  return letters.map(({ code, fate, key }) => `${code} ${fate} ${key.replace(/@\d+$/, '')}`).sort()
}

// What takes long is to wait for what others do, so that they do not wait for each other.
describe.concurrent('freshet replay', () => {
  test('what was set aside comes back after its fix, whatever was fixed, and what stays dead is told with its reason', async () => {
    await using stack = await Stack.open({ ...QUIET, FRESHET_ELASTICSEARCH_KEY: 'field:k' })
    const { pipeline, redis } = stack.settings
    await setMaxMessageBytes(stack, 30_000)
    stack.start('poller', 'scorer')
    await stack.write({
      big: { ...flight, k: 'big', note: 'x'.repeat(40_000) },
      keyless: flight,
      poison: { k: 'poison', carrier: 'UA' },
      mended: { k: 'mended', carrier: 'UA' },
      well: { ...other, k: 'well' },
    })
    await send(stack, 'changes', { key: Buffer.from('stray'), value: Buffer.from('no change at all') })
    await send(stack, 'scores', { value: Buffer.from([1, 2, 3]) })
    const [changes, scores] = [topicName(pipeline, 'changes'), topicName(pipeline, 'scores')]
    let dry = { code: 0, fates: [] as string[] }
    const allDied = async () => {
      dry = await replayHere(stack, { isDryRun: true })
      return dry.fates.length === 6 && dry.fates.includes('FIELD_MISSING judged poison')
    }
    await until('all have died', allDied, {
      giveUpMs: 90_000,
      explain: () => JSON.stringify({ dry, output: stack.output }),
    })
    expect(dry.fates).toEqual([
      'DOCUMENT_TOO_LARGE dead big',
      'FIELD_MISSING judged mended',
      'FIELD_MISSING judged poison',
      `KEY_MISSING dead ${pipeline}/keyless`,
      `RECORD_MALFORMED dead ${changes}[0]`,
      `RECORD_MALFORMED dead ${scores}[0]`,
    ])
    expect(dry.code).toBe(1)

    await stack.write({ keyless: { ...flight, k: 'keyless' }, mended: { ...flight, k: 'mended' } })
    await setMaxMessageBytes(stack, 1_000_000)
    await sendReadableBatch(stack)
    const scored = async () => {
      const known = await readRedisScores(redis.url, pipeline)
      return [...known].flatMap(([key, score]) => (score === null ? [] : [key])).sort()
    }
    const itself = async () => ['keyless', 'mended', 'well'].every((key) => keys.includes(key))
    let keys: string[] = []
    await until('what was mended in Elasticsearch has replayed itself', async () => {
      keys = await scored()
      return await itself()
    })
    expect(keys).not.toContain('big')

    const after = await replay(stack)
    expect(after.fates).toEqual([
      'DOCUMENT_TOO_LARGE replayed big',
      'FIELD_MISSING judged poison',
      'FIELD_MISSING superseded mended',
      `KEY_MISSING superseded ${pipeline}/keyless`,
      `RECORD_MALFORMED dead ${changes}[0]`,
      `RECORD_MALFORMED dead ${scores}[0]`,
      `RECORD_MALFORMED replayed ${scores}[1]`,
    ])
    expect(after.code).toBe(1)
    await until(
      'the document and the batch are in Redis',
      async () => {
        keys = await scored()
        return keys.includes('big') && keys.length === 5
      },
      { explain: () => JSON.stringify({ keys, output: stack.output }) },
    )

    const [told, large, later] = await Promise.all([
      freshet(['replay', '--dead', '--dry-run', '--code', 'FIELD_MISSING'], stack.env),
      replayHere(stack, { code: 'DOCUMENT_TOO_LARGE' }),
      replay(stack, '--since', new Date(Date.now() + 60_000).toISOString()),
    ])
    expect(told.stdout).toMatch(/FIELD_MISSING +2 +1 +1\n.* judged {2}poison {2}FIELD_MISSING: /s)
    expect(told.stdout).toContain('  superseded  mended  ') // named in a dry run only
    expect(told.stdout).toContain('freshet model promote --again')
    expect(large).toMatchObject({ code: 0, fates: ['DOCUMENT_TOO_LARGE superseded big'] })
    expect(later).toMatchObject({ code: 0, fates: [] })
  }, 384_000)

  test('what a new generation of the model has not judged yet is replayed for it', async () => {
    await using stack = await Stack.open(QUIET)
    const { pipeline, redis } = stack.settings
    stack.start('poller', 'scorer')
    await stack.write({ poison: { carrier: 'UA' } })
    const isJudged = async () => (await readRedisScores(redis.url, pipeline)).size === 1
    await until('it is judged', isJudged, { explain: () => JSON.stringify(stack.output) })
    await stack.stop('scorer')
    await promoteAgain(stack.store, undefined, Date.now())
    const key = `${stack.index}/poison`
    expect(await replayHere(stack)).toMatchObject({ code: 0, fates: [`FIELD_MISSING replayed ${key}`] })
    stack.start('scorer')
    await until('the new generation has judged it too', async () => {
      const { fates } = await replayHere(stack, { isDryRun: true })
      return fates[0] === `FIELD_MISSING judged ${key}`
    })
  }, 288_000)

  test.each([
    [['replay'], /--dead/],
    [['replay', '--dead', '--code', 'NO_SUCH_CODE'], /no such error code/i],
    [['replay', '--dead', '--since', 'yesterday'], /2026-05-01T12:00:00Z/],
    [['replay', '--dead', '--limit', '1.5'], /whole number/],
    [['once', '--deadline', 'Infinity'], /number of seconds/],
  ])('%s is refused before anything is looked at', async (args, why) => {
    const { code, stderr } = await freshet(args)
    expect(code).toBe(2)
    expect(stderr).toMatch(why)
  })
})
