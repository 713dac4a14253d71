import { type HandClock, handClock } from '@freshet/stage/clock.kit.ts'
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
  [0.25, 30],
  [0.5, 10],
  [1, 0],
])('with a share of %f it rests %i ms after 10 ms of work', async (share, restMs) => {
  const clock = handClock()
  const background = new BackgroundWork(share, clock)
  const result = await background.doNext(async () => {
    clock.atMs += 10
    return 'done'
  }, never)
  expect(result).toBe('done')
  expect(clock.sleeps.at(-1)).toBe(restMs)
})

test('a stop ends the waiting, and nothing is begun', async () => {
  const stop = new AbortController()
  const background = new BackgroundWork(1, sleeper())
  using _ = background.holdOff()
  const waiting = background.doNext(async () => 'done', stop.signal)
  stop.abort()
  expect(await waiting).toBeNull()
})
