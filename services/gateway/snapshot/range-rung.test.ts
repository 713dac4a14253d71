import { FreshetError } from '@freshet/errors/errors.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'
import { Breaker } from '@freshet/stage/breaker.ts'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { deadlineOf } from '../server/deadline.ts'
import { type RangeReader, RangeRung } from './range-rung.ts'

// On a busy machine a few milliseconds pass between any two lines: here none does, unless a test lets it.
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Once all waits are over. */
async function whenOver<T>(said: Promise<T> | undefined): Promise<T | undefined> {
  await vi.advanceTimersByTimeAsync(300)
  return await said
}

const stored = (seqNo: number) => ({ key: 'a', rank: { revision: { seqNo } } }) as StoredScore
const inMs = (ms: number) => deadlineOf(performance.now(), ms, null)

function world({ misses = 100, isBehind = false } = {}) {
  const outcomes: string[] = []
  const rung = new RangeRung({
    breaker: new Breaker({ misses, restMs: 60_000 }),
    loop: { isBehind: () => isBehind },
    onLookup: (outcome) => outcomes.push(outcome),
  })
  return { rung, outcomes }
}

const reader = (find: () => Promise<StoredScore | undefined>, inMemory?: StoredScore): RangeReader => ({
  get: () => inMemory,
  holdsAllOf: () => false,
  find,
})

test('what S3 has is said, and that it has nothing', async () => {
  const { rung, outcomes } = world()
  const score = stored(1)
  expect(
    await rung.ask(
      reader(async () => score),
      'a',
      inMs(10_000),
    ),
  ).toEqual({ kind: 'has', score })
  expect(
    await rung.ask(
      reader(async () => undefined),
      'a',
      inMs(10_000),
    ),
  ).toEqual({ kind: 'has nothing' })
  expect(outcomes).toEqual(['found', 'nothing'])
})

test('where memory has said everything nobody is asked, also when S3 could not be', async () => {
  const find = vi.fn(async () => undefined)
  const inMemory: RangeReader = { get: () => undefined, holdsAllOf: () => true, find }
  const { rung, outcomes } = world({ misses: 1 })
  expect(rung.ask(inMemory, 'a', inMs(10_000))).toBeUndefined()
  expect(rung.ask(inMemory, 'a', inMs(1))).toBeUndefined()
  const away = reader(() => Promise.reject(new FreshetError('S3_UNREACHABLE', 'away')))
  await rung.ask(away, 'b', inMs(10_000))
  expect(await rung.ask(away, 'b', inMs(10_000))).toMatchObject({ reason: 'snapshot_cut_off' })
  expect(rung.ask(inMemory, 'a', inMs(10_000))).toBeUndefined()
  expect(world({ isBehind: true }).rung.ask(inMemory, 'a', inMs(10_000))).toBeUndefined()
  expect(find).not.toHaveBeenCalled()
  expect(outcomes).toEqual(['failed', 'refused'])
})

test('S3 that is late or fails is no “unknown key”, and what memory holds is said then', async () => {
  const never = () => new Promise<never>(() => {})
  const fails = async () => {
    throw new FreshetError('S3_UNREACHABLE', 'away')
  }
  const { rung, outcomes } = world()
  expect(await whenOver(rung.ask(reader(never), 'a', inMs(20)))).toEqual({
    kind: 'was not heard',
    reason: 'snapshot_late',
  })
  expect(await rung.ask(reader(fails), 'a', inMs(10_000))).toEqual({
    kind: 'was not heard',
    reason: 'snapshot_unreadable',
  })
  const score = stored(3)
  expect(await whenOver(rung.ask(reader(never, score), 'a', inMs(20)))).toEqual({ kind: 'has', score })
  expect(await rung.ask(reader(fails, score), 'a', inMs(10_000))).toEqual({ kind: 'has', score })
  expect(outcomes).toEqual(['late', 'failed', 'late', 'failed'])
})

test('S3 that fails again and again is cut off; a caller who leaves no time says nothing about it', async () => {
  let asked = 0
  const fails = reader(async () => {
    asked++
    throw new FreshetError('S3_UNREACHABLE', 'away')
  })
  const { rung } = world({ misses: 3 })
  const never = reader(() => new Promise<never>(() => {}))
  for (let i = 0; i < 5; i++) await whenOver(rung.ask(never, 'a', inMs(8)))
  for (let i = 0; i < 3; i++) await rung.ask(fails, 'a', inMs(10_000))
  expect(await rung.ask(fails, 'a', inMs(10_000))).toEqual({
    kind: 'was not heard',
    reason: 'snapshot_cut_off',
  })
  expect(asked).toBe(3)
})

test('S3 that hangs is cut off though every caller is in a hurry; one that is only slower than they is not', async () => {
  const hangs = world({ misses: 3 }).rung
  const never = reader(() => new Promise<never>(() => {}))
  for (let i = 0; i < 9 + 3; i++)
    expect(await whenOver(hangs.ask(never, 'a', inMs(8)))).toMatchObject({ reason: 'snapshot_late' })
  expect(await hangs.ask(never, 'a', inMs(8))).toMatchObject({ reason: 'snapshot_cut_off' })

  const { rung } = world({ misses: 3 })
  for (let i = 0; i < 15; i++) {
    const slow = Promise.withResolvers<undefined>()
    expect(
      await whenOver(
        rung.ask(
          reader(() => slow.promise),
          'a',
          inMs(8),
        ),
      ),
    ).toMatchObject({ reason: 'snapshot_late' })
    slow.resolve(undefined)
  }
  expect(
    await rung.ask(
      reader(async () => undefined),
      'a',
      inMs(10_000),
    ),
  ).toEqual({ kind: 'has nothing' })
})

test('no lookup is begun without time for it, with too many on their way, or after a standstill', async () => {
  const never = reader(() => new Promise<never>(() => {}))
  const { rung, outcomes } = world()
  expect(await rung.ask(never, 'a', inMs(3))).toMatchObject({ reason: 'deadline' })
  const full = Array.from({ length: 256 }, () => rung.ask(never, 'a', inMs(200)))
  expect(await rung.ask(never, 'a', inMs(10_000))).toMatchObject({ reason: 'overloaded' })
  expect(outcomes).toEqual(['refused', 'refused'])
  await whenOver(Promise.all(full))
  expect(await world({ isBehind: true }).rung.ask(never, 'a', inMs(10_000))).toMatchObject({
    reason: 'overloaded',
  })
})
