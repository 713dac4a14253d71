import { type HandClock, handClock, steppedClock } from '@freshet/stage/clock.kit.ts'
import { expect, test } from 'vitest'
import { BackgroundWork } from './background-work.ts'

const never = new AbortController().signal

/** Sleeps until the test says so, so that an order of events can be told. */
function sleeper() {
  const clock = handClock()
  const sleeping: { ms: number; wake: () => void }[] = []
  const sleep: HandClock['sleep'] = (ms, signal) =>
    new Promise((resolve) => {
      const wake = () => resolve()
      signal?.addEventListener('abort', wake)
      sleeping.push({ ms, wake })
    })
  return { ...clock, sleep, sleeping }
}

test('background work waits until nothing fresh is in hand', async () => {
  const background = new BackgroundWork(1, sleeper())
  const events: string[] = []
  const first = background.holdOff()
  const second = background.holdOff()
  const work = background.doNext(async () => void events.push('background'), never)
  first[Symbol.dispose]()
  await new Promise(setImmediate)
  events.push('last fresh ends')
  second[Symbol.dispose]()
  void work
  await expect.poll(() => events).toEqual(['last fresh ends', 'background'])
})

test('a load without gaps holds it up for a second, not for ever', async () => {
  const clock = sleeper()
  const background = new BackgroundWork(1, clock)
  using _ = background.holdOff()
  let isDone = false
  void background.doNext(async () => (isDone = true), never)
  await new Promise(setImmediate)
  expect(isDone).toBe(false)
  expect(clock.sleeping.map(({ ms }) => ms)).toEqual([1_000])
  clock.sleeping[0]!.wake()
  await expect.poll(() => isDone).toBe(true)
})

test.each([
  [0.25, [30]],
  [0.5, [10]],
  [1, []],
])('with a share of %f it rests %j ms after 10 ms of work, whatever came of it', async (share, restMs) => {
  const clock = handClock()
  const background = new BackgroundWork(share, clock)
  const failing = background.doNext(async () => {
    clock.atMs += 10
    throw new Error('the model is away')
  }, never)
  await expect(failing).rejects.toThrow('the model is away')
  expect(clock.sleeps).toEqual([])
  expect(await background.doNext(async () => 'done', never)).toBe('done')
  expect(clock.sleeps).toEqual(restMs)
})

test('two kinds of it together take no more than the share, and each gets its part', async () => {
  const clock = steppedClock()
  const background = new BackgroundWork(0.25, clock)
  const doneMs = [0, 0]
  for (const kind of [0, 1])
    void (async () => {
      for (;;)
        await background.doNext(async () => {
          await clock.sleep(10)
          doneMs[kind]! += 10
        }, never)
    })()
  while (clock.nowMs() < 10_000) {
    await new Promise(setImmediate)
    clock.step()
  }
  expect(doneMs[0]! + doneMs[1]!).toBeLessThanOrEqual(2_500)
  expect(Math.min(...doneMs)).toBeGreaterThan(1_000)
})

test('a batch of one kind that hangs does not hold up another', async () => {
  const background = new BackgroundWork(0.25, handClock())
  void background.doNext(() => new Promise(() => {}), never)
  await new Promise(setImmediate)
  expect(await background.doNext(async () => 'done', never)).toBe('done')
})

test('no rest is longer than ten seconds, nor is it after the clock was put back', async () => {
  const clock = handClock(100_000_000)
  const background = new BackgroundWork(0.01, clock)
  await background.doNext(async () => void (clock.atMs += 60_000), never)
  clock.atMs -= 3_600_000
  await background.doNext(async () => {}, never)
  expect(clock.sleeps).toEqual([10_000])
})

test('a stop ends the waiting, and nothing is begun', async () => {
  const stop = new AbortController()
  const background = new BackgroundWork(1, sleeper())
  using _ = background.holdOff()
  const waiting = background.doNext(async () => 'done', stop.signal)
  stop.abort()
  expect(await waiting).toBeNull()
})
