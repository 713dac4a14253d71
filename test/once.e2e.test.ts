import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import { onceService } from '@freshet/cli/once/once-service.ts'
import type { OnceSummary } from '@freshet/cli/once/summary.ts'
import { readFlights } from '@freshet/demo/flights.ts'
import { startSlackReceiver } from '@freshet/demo/slack-receiver.ts'
import { promoteAgain } from '@freshet/model/bundle/pointer-store.ts'
import { readRedisScores } from '@freshet/oracle/redis-scores.ts'
import { type Heartbeat, heartbeatRecord } from '@freshet/records/heartbeat.ts'
import { topicName } from '@freshet/records/topics.ts'
import { runService } from '@freshet/service/run-service.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import { freshet, type Outcome } from './freshet.ts'
import { PROGRAM, Stack } from './stack.ts'
import { until } from './until.ts'

const flights = await readFlights()
const WRITE_EVERY_MS = 50
/** No flush comes by itself, and traces are no part of this. */
const PATIENT = { FRESHET_SNAPSHOT_INTERVAL_SECONDS: '3600', FRESHET_TELEMETRY_ENABLED: 'false' }

function some(count: number, from = 0): Record<string, object> {
  return Object.fromEntries(flights.slice(from, from + count).map(({ id, document }) => [id, document]))
}

/** As the command does it, in this process: a start of Node costs more than most of these runs. */
async function runHere({ settings }: Stack): Promise<{ code: number; summary: OnceSummary }> {
  let summary: OnceSummary | undefined
  const onSummary = (told: OnceSummary) => {
    summary = told
  }
  const quiet = { ...settings, telemetry: { ...settings.telemetry, logLevel: 'error' as const } }
  const { exitCode } = await runService('once', onceService({ deadlineMs: 240_000, onSummary }), quiet)
  return { code: exitCode, summary: summary! }
}

async function runOnce(
  stack: Stack,
  args: readonly string[] = [],
  env = {},
): Promise<Outcome & { summary: OnceSummary }> {
  const outcome = await freshet(['--json', 'once', ...args], { ...stack.env, ...env })
  expect(outcome.stdout, outcome.stderr).toMatch(/^\{.*\}\n$/)
  return { ...outcome, summary: JSON.parse(outcome.stdout) as OnceSummary }
}

/** What the last run has said of itself at its end. */
async function lastWord({ settings: { kafka, pipeline } }: Stack): Promise<Heartbeat['status'] | undefined> {
  let last: Heartbeat | undefined
  await readAll(connectKafka(kafka, { clientId: 'test', log: quietLog }), topicName(pipeline, 'heartbeats'), {
    onMessage: (_, { value }) => {
      last = value === null ? last : heartbeatRecord.decode(value)
    },
    signal: AbortSignal.timeout(30_000),
    deadlineMs: 30_000,
  })
  return last?.status
}

/** As a Redis that was wiped. */
async function loseScores({ settings: { redis, pipeline } }: Stack): Promise<void> {
  const client = new Redis(redis.url)
  const keys = await client.keys(`${pipeline}:*`)
  await client.del(keys)
  client.disconnect()
}

// What takes long is to wait for what others do, so that they do not wait for each other.
describe.concurrent('freshet once', () => {
  test('one run after another: all is scored and stored, again for a new generation or a wiped Redis, deletes are found, and where nothing has changed it is over at once', async () => {
    const pattern = (index: string) => `${index}*`
    const env = { ...PATIENT, FRESHET_ELASTICSEARCH_GONE_GRACE_SECONDS: '0' }
    await using stack = await Stack.open(env, { pattern })
    await stack.write({ ...some(300), poison: { carrier: 'UA' } })
    const first = await runHere(stack)
    expect(first).toMatchObject({
      code: 0,
      summary: { outcome: 'done', captured: 301, scored: 300, dead: 1, deletes: 0, model: 'arrival-delay@1' },
    })
    expect(await stack.conserved({ giveUpMs: 1_000 })).toMatchObject({ liveDocuments: 301 })

    const idle = await runHere(stack)
    expect(idle).toMatchObject({ code: 0, summary: { outcome: 'nothing to do', captured: 0 } })

    await promoteAgain(stack.store, undefined, Date.now())
    await loseScores(stack)
    for (const id of Object.keys(some(20))) await stack.client.delete({ index: stack.index, id })
    await stack.write(some(10, 300))
    const next = await runHere(stack)
    expect(next).toMatchObject({
      code: 0,
      summary: { outcome: 'done', captured: 10, deletes: 20, notes: [] },
    })
    expect(next.summary.rescored).toBeGreaterThanOrEqual(300)
    expect(next.summary.refilled).toBeGreaterThan(0)
    expect(await stack.conserved({ giveUpMs: 1_000 })).toMatchObject({ liveDocuments: 291 })

    await stack.client.indices.delete({ index: stack.index })
    const gone = await freshet(['once'], stack.env)
    expect(gone.code, gone.stderr).toBe(0)
    expect(gone.stdout).toMatch(/: done\n +captured +0 changes, 291 deletes found\n/)
    expect(await stack.conserved({ giveUpMs: 1_000 })).toMatchObject({ liveDocuments: 0 })
  }, 480_000)

  test('killed in the middle, the next run goes on and loses nothing; it does no harm beside services that run on', async () => {
    await using stack = await Stack.open({ ...PATIENT, FRESHET_SWEEP_PAUSE_SECONDS: '1' })
    await stack.write(some(3_000))
    const child = spawn(process.execPath, [PROGRAM, 'once'], { env: stack.env, stdio: 'ignore' })
    const { redis, pipeline } = stack.settings
    const isScored = async () => (await readRedisScores(redis.url, pipeline)).size > 0
    await until('scores reach Redis', isScored, { giveUpMs: 90_000 })
    child.kill('SIGKILL')
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
    await stack.write(some(500, 3_000))
    const next = await runHere(stack)
    expect(next).toMatchObject({ code: 0, summary: { outcome: 'done' } })
    expect(await stack.conserved({ giveUpMs: 1_000 })).toMatchObject({ liveDocuments: 3_500 })

    stack.start('poller')
    await stack.write(some(100, 3_500))
    const beside = await runHere(stack)
    expect(beside).toMatchObject({ code: 0 })
    expect(await stack.conserved({ giveUpMs: 1_000 })).toMatchObject({ liveDocuments: 3_600 })

    await stack.write(some(20)) // nobody beside it scores that
    const over = new AbortController()
    const [during, writes] = await Promise.all([
      runHere(stack).finally(() => over.abort()), // never, if it ran after what is written meanwhile
      keepWriting(stack, over.signal),
    ])
    expect(during).toMatchObject({ code: 0, summary: { outcome: 'done' } })
    expect(writes).toBeGreaterThan(1)
    expect(await runHere(stack)).toMatchObject({ code: 0 })
    expect(await stack.conserved({ giveUpMs: 1_000 })).toMatchObject({ liveDocuments: 3_600 })
  }, 480_000)

  test('a run that is stopped ends in order; one that fails says what is left, in Slack too; the first that is well is told', async () => {
    await using slack = await startSlackReceiver({ port: 0 })
    await using stack = await Stack.open({ ...PATIENT, FRESHET_SLACK_WEBHOOK_URL: slack.url })
    await stack.write(some(2_000))
    const stopped = await stoppedAtWork(stack)
    expect(stopped.code, stopped.stderr).toBe(130)
    expect(JSON.parse(stopped.stdout)).toMatchObject({ outcome: 'stopped', error: null })
    expect(slack.messages).toEqual([])

    const modelless = await runOnce(stack, [], { FRESHET_S3_PREFIX: `${stack.index}-other` })
    expect(modelless).toMatchObject({
      code: 2,
      summary: { outcome: 'failed', error: { code: 'MODEL_MISSING' }, captured: 0 },
    })
    const late = await runOnce(stack, ['--deadline', '0.1'])
    expect(late, late.stderr).toMatchObject({
      code: 1,
      summary: { outcome: 'failed', error: { code: 'DEADLINE' } },
    })
    expect(late.summary.error!.message).toMatch(/not captured|not scored|looked|not in/)
    expect(await lastWord(stack)).toBe('failing')
    const firing = expect.stringMatching(/^FIRING: a run/)
    expect(slack.messages.map(({ text }) => text)).toEqual([firing, firing])

    const well = await runOnce(stack)
    expect(well, well.stderr).toMatchObject({ code: 0, summary: { outcome: 'done' } })
    expect(slack.messages.map(({ text }) => text)).toEqual([
      firing,
      firing,
      expect.stringMatching(/^RESOLVED/),
    ])
    expect(await lastWord(stack)).toBe('stopping')
    await stack.conserved({ giveUpMs: 1_000 })
  }, 480_000)
})

/** The same documents over and over, more often than anybody looks. @returns how often */
async function keepWriting(stack: Stack, over: AbortSignal): Promise<number> {
  for (let writes = 0; ; writes++) {
    if (over.aborted) return writes
    await Promise.all([stack.write(some(20)), sleep(WRITE_EVERY_MS)])
  }
}

/** As a scheduler stops what takes too long. */
async function stoppedAtWork(stack: Stack): Promise<Outcome> {
  const child = spawn(process.execPath, [PROGRAM, '--json', 'once'], {
    env: stack.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (text) => (stdout += text))
  child.stderr.on('data', (text) => (stderr += text))
  const ended = once(child, 'close')
  await until('it works', async () => stderr.includes('capturing '), {
    giveUpMs: 90_000,
    explain: () => stderr,
  })
  child.kill('SIGTERM')
  const [code] = (await ended) as [number | null]
  return { code, stdout, stderr }
}
