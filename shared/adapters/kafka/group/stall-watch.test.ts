import { expect, test } from 'vitest'
import { StallWatch } from './stall-watch.ts'

const limits = { stallMs: 5_000, joinMs: 20_000 }

test('an idle consumer is well as long as its fetches are answered', () => {
  const watch = new StallWatch(limits, 0)
  watch.joined(100)
  for (let atMs = 1_000; atMs <= 60_000; atMs += 1_000) {
    watch.fetchBegins(1, atMs)
    watch.fetchEnds(1, atMs + 500)
    expect(watch.stalled(atMs + 500)).toBeUndefined()
  }
  expect(watch.stalled(66_000)).toMatch(/no sign of life for 5500 ms/)
})

test('a batch whose handler says nothing is a stall, though other batches and brokers go on', () => {
  const watch = new StallWatch(limits, 0)
  watch.joined(0)
  watch.workBegins(0)
  const other = watch.workBegins(0)
  watch.workEnds(other, 4_000)
  watch.fetchEnds(2, 5_001)
  expect(watch.stalled(5_000)).toBeUndefined()
  expect(watch.stalled(5_001)).toMatch(/in hand for 5001 ms/)
})

test('a long batch whose handler gives signs of progress is none', () => {
  const watch = new StallWatch(limits, 0)
  watch.joined(0)
  const work = watch.workBegins(0)
  work.lastSignMs = 4_000
  expect(watch.stalled(8_000)).toBeUndefined()
})

test('a broker that is asked again and again without an answer is a stall, though others answer', () => {
  const watch = new StallWatch(limits, 0)
  watch.joined(0)
  for (let atMs = 0; atMs <= 6_000; atMs += 1_000) {
    watch.fetchBegins(1, atMs)
    watch.fetchBegins(2, atMs)
    watch.fetchEnds(2, atMs + 100)
  }
  expect(watch.stalled(6_100)).toMatch(/broker 1 has not answered for 6100 ms/)
})

test('a join may take as long as the group waits for its slowest member', () => {
  const watch = new StallWatch(limits, 0)
  expect(watch.stalled(19_000)).toBeUndefined()
  expect(watch.stalled(21_000)).toMatch(/no sign of life/)
  watch.joined(22_000)
  watch.joins(30_000)
  expect(watch.stalled(49_000)).toBeUndefined()
})
