import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WorkInHand } from './work-in-hand.ts'

const KEYS = 25_000 // bytes of 1,000 keys

/** Work under a clock and a loop of the test's. */
function world({ deadlineMs = 100 } = {}) {
  const time = { nowMs: 0, activeMs: 0 }
  let refused = 0
  const work = new WorkInHand({
    deadlineMs,
    nowMs: () => time.nowMs,
    activeMs: () => time.activeMs,
    onRefused: () => {
      refused++
    },
  })
  const fill = (bytes = KEYS) => {
    let begun = 0
    while (begun < 1_000 && work.begin(bytes, 0)) begun++
    return begun
  }
  const answer = (costMs: number, times = 1) => {
    for (let i = 0; i < times; i++) {
      time.nowMs += costMs
      time.activeMs += costMs
      work.end(KEYS)
    }
  }
  return { time, work, fill, answer, refused: () => refused }
}

test('as many heavy requests are let in as can be answered in half the deadline, and the next is told so', () => {
  const { work, fill, refused } = world()
  expect(fill()).toBe(7)
  expect(refused()).toBe(1)
  expect(work.begin(1_000, 90)).toBe(true) // a light one
  work.end(KEYS)
  expect(work.begin(KEYS, 0)).toBe(true)
})

test('a single heavy request is let in whatever it costs and however long it waited', () => {
  expect(world({ deadlineMs: 1 }).work.begin(10 ** 7, 1_000)).toBe(true)
})

test('one that has used up its time before it was read is refused beside another', () => {
  const { work } = world()
  work.begin(KEYS, 0)
  expect(work.begin(KEYS, 45)).toBe(false)
  expect(work.begin(KEYS, 20)).toBe(true)
})

test('those that queued up behind heavy work are refused, also when each would be the only one in hand', () => {
  const { work, time, answer } = world()
  time.nowMs = 1_000
  expect(work.begin(KEYS, 200)).toBe(true) // held up by something else
  answer(6.5)
  expect(work.isTooMuch(KEYS, 200)).toBe(true)
  expect(work.begin(KEYS, 200)).toBe(false)
  expect(work.begin(KEYS, 3)).toBe(true)
})

test('with all in hand that can be answered a heavy body need not be read, a light one is', () => {
  const { work, fill } = world()
  expect(work.isTooMuch(KEYS, 0)).toBe(false)
  fill()
  expect(work.isTooMuch(KEYS, 0)).toBe(true)
  expect(work.isTooMuch(1_000, 0)).toBe(false)
})

test('where a request takes the loop three times as long, a third as many are let in, and as many as before when it does not', () => {
  const { fill, answer } = world()
  answerAll(fill(), 19.5)
  for (let i = 0; i < 10; i++) answerAll(fill(), 19.5)
  const slow = fill()
  expect(slow).toBe(2)
  answerAll(slow, 6.5)
  for (let i = 0; i < 30; i++) answerAll(fill(), 6.5)
  expect(fill()).toBe(7)

  function answerAll(requests: number, costMs: number): void {
    answer(costMs, requests)
  }
})

test('what a loop does that has nothing to answer is not taken for the cost of requests', () => {
  const { work, time, fill, answer } = world()
  for (let i = 0; i < 20; i++) {
    work.begin(KEYS, 0)
    time.nowMs += 10_000
    time.activeMs += 500
    answer(6.5)
  }
  expect(fill()).toBe(7)
})

test('whatever comes and goes, heavy work in hand is bounded or a single request, and a light one is let in', () => {
  const step = fc.record({
    bytes: fc.integer({ min: 0, max: 200_000 }),
    costMs: fc.double({ min: 0, max: 500, noNaN: true }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { work, time } = world()
      const inHand: number[] = []
      for (const { bytes, costMs } of steps) {
        if (work.begin(bytes, 0)) inHand.push(bytes)
        const heavy = inHand.filter((bytes) => bytes >= 1_024)
        const total = heavy.reduce((sum, bytes) => sum + bytes, 0)
        expect(heavy.length <= 1 || total * (0.000_26 / 8) <= 50).toBe(true)
        expect(work.begin(500, 1_000)).toBe(true)
        time.nowMs += costMs
        time.activeMs += costMs
        if (costMs < 250 && inHand.length > 0) work.end(inHand.shift()!)
      }
      for (const bytes of inHand) work.end(bytes)
      expect(work.isTooMuch(10 ** 6, 0)).toBe(false)
    }),
  )
})
