import { FreshetError } from '@freshet/errors/errors.ts'
import { compileColumns } from '@freshet/model/features/columns.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import type { LogAttributes } from '@freshet/stage/log.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, test } from 'vitest'
import { type LiveModel, LiveRung } from './live-rung.ts'

const writer = compileColumns([{ name: 'distance', path: '/distance', type: 'number', required: true }])

type Run = LiveModel['pool']['run']

/** @param run what the model does; null when there is none. */
function rungOf(
  run: Run | null,
  { isBehind = false, waitMs = 0, onDone = () => {}, log = quietLog, clock = systemClock } = {},
): LiveRung {
  const pool = run && { run, runNow: () => null, expectedWaitMs: () => waitMs }
  const use = () =>
    pool && {
      label: 'delay@1',
      writer,
      outputs: ['delay', 'risk'],
      pool,
      [Symbol.dispose]: onDone,
    }
  return new LiveRung(use, { loop: { isBehind: () => isBehind }, log, clock })
}

const inTime = () => performance.now() + 10_000

test('a document is scored by the columns of the model, every output by its name', async () => {
  const rung = rungOf(async ({ numbers: [distance] }) => [
    Float64Array.of(distance! * 2),
    Float64Array.of(0.5),
  ])
  expect(await rung.score({ distance: 21 }, inTime())).toEqual({
    kind: 'scored',
    outputs: { delay: 42, risk: 0.5 },
    model: 'delay@1',
  })
})

test('a document that the model cannot score says why', async () => {
  const rung = rungOf(async () => [Float64Array.of(Number.NaN), Float64Array.of(1)])
  expect(await rung.score({}, inTime())).toMatchObject({
    kind: 'unscorable',
    problem: { code: 'FIELD_MISSING' },
  })
  expect(await rung.score({ distance: 1 }, inTime())).toMatchObject({
    kind: 'unscorable',
    problem: { code: 'SCORE_NOT_FINITE' },
  })
})

test('a document whose turn would come too late is not queued', async () => {
  const run: Run = () => Promise.reject(new Error('it was queued'))
  expect(await rungOf(run, { waitMs: 20_000 }).score({ distance: 1 }, inTime())).toEqual({
    kind: 'unable',
    reason: 'live_overloaded',
  })
})

test('a document is not queued behind more than can be scored before its turn', async () => {
  const started = Promise.withResolvers<void>()
  const rung = rungOf(
    async ({ rows }) => {
      await started.promise
      return [new Float64Array(rows), new Float64Array(rows)]
    },
    { waitMs: 4_000 },
  )
  const answers = Array.from({ length: 150 }, () => rung.score({ distance: 1 }, inTime()))
  started.resolve()
  const kinds = (await Promise.all(answers)).map((live) => (live.kind === 'unable' ? live.reason : live.kind))
  expect(kinds.filter((kind) => kind === 'scored')).toHaveLength(1 + 128)
  expect(kinds.slice(129)).toEqual(Array(21).fill('live_overloaded'))
})

test('a model that does not end in time is told to stop', async () => {
  const rung = rungOf(
    (_features, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new FreshetError('DEADLINE', 'aborted')))
      }),
  )
  expect(await rung.score({ distance: 1 }, performance.now() + 5)).toEqual({
    kind: 'unable',
    reason: 'live_late',
  })
})

test('a model is in use until its answer is there, and no longer, whatever the answer', async () => {
  const told: string[] = []
  const onDone = () => told.push('is done')
  const run: Run = async () => {
    await Promise.resolve()
    told.push('has run')
    throw new FreshetError('MODEL_RUN_FAILED', 'as told')
  }
  await rungOf(run, { onDone }).score({ distance: 1 }, inTime())
  expect(told).toEqual(['has run', 'is done'])
  await rungOf(run, { onDone }).score({}, inTime())
  expect(told).toEqual(['has run', 'is done', 'is done'])
})

test.each([
  ['QUEUE_FULL', 'live_overloaded'],
  ['MODEL_RUN_FAILED', 'live_failed'],
] as const)('%s is told as %s', async (code, reason) => {
  const rung = rungOf(() => Promise.reject(new FreshetError(code, 'as told')))
  expect(await rung.score({ distance: 1 }, inTime())).toEqual({ kind: 'unable', reason })
})

test('a failure that nobody expects is logged once a minute; what load does to callers is not', async () => {
  const lines: [unknown, LogAttributes | undefined][] = []
  const log = {
    ...quietLog,
    error: (_: string, error: unknown, more?: LogAttributes) => void lines.push([error, more]),
  }
  const time = { nowMs: 0 }
  const clock = { ...systemClock, nowMs: () => time.nowMs }
  let failure = new FreshetError('QUEUE_FULL', 'as told')
  const rung = rungOf(() => Promise.reject(failure), { log, clock })
  await rung.score({ distance: 1 }, inTime())
  failure = new FreshetError('MODEL_RUN_FAILED', 'as told')
  for (time.nowMs = 0; time.nowMs <= 60_000; time.nowMs += 20_000) await rung.score({ distance: 1 }, inTime())
  expect(lines).toEqual([
    [failure, { 'freshet.rows': 1 }],
    [failure, { 'freshet.rows': 3 }],
  ])
})

test('without a model, time, or a loop that turns, nothing is tried', async () => {
  const never = () => Promise.reject(new Error('was tried'))
  expect(await rungOf(null).score({}, inTime())).toEqual({ kind: 'unable', reason: 'model_missing' })
  expect(await rungOf(never).score({ distance: 1 }, 0)).toEqual({ kind: 'unable', reason: 'deadline' })
  expect(await rungOf(never, { isBehind: true }).score({ distance: 1 }, inTime())).toEqual({
    kind: 'unable',
    reason: 'overloaded',
  })
})
