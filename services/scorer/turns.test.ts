import { type HandClock, handClock } from '@freshet/stage/clock.kit.ts'
import { expect, test } from 'vitest'
import { Turns } from './turns.ts'

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
  const turns = new Turns(1, sleeper())
  const events: string[] = []
  const first = turns.fresh()
  const second = turns.fresh()
  const work = turns.background(async () => void events.push('background'), never)
  first[Symbol.dispose]()
  await new Promise(setImmediate)
  events.push('last fresh ends')
  second[Symbol.dispose]()
  void work
  await expect.poll(() => events).toEqual(['last fresh ends', 'background'])
})

test('a load without gaps holds it up for a second, not for ever', async () => {
  const clock = sleeper()
  const turns = new Turns(1, clock)
  using _ = turns.fresh()
  let isDone = false
  void turns.background(async () => (isDone = true), never)
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
  const turns = new Turns(share, clock)
  const result = await turns.background(async () => {
    clock.atMs += 10
    return 'done'
  }, never)
  expect(result).toBe('done')
  expect(clock.sleeps.at(-1)).toBe(restMs)
})

test('a stop ends the waiting, and nothing is begun', async () => {
  const stop = new AbortController()
  const turns = new Turns(1, sleeper())
  using _ = turns.fresh()
  const waiting = turns.background(async () => 'done', stop.signal)
  stop.abort()
  expect(await waiting).toBeNull()
})
