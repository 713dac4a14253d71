import { expect, test } from 'vitest'
import { Throttle } from './throttle.ts'

function open() {
  const clock = { atMs: 0, nowMs: () => clock.atMs }
  return { clock, throttle: new Throttle(60_000, clock) }
}

test('one of each kind passes in an interval, and the next one tells how many did not', () => {
  const { clock, throttle } = open()
  expect([throttle.pass('a'), throttle.pass('b'), throttle.pass('a'), throttle.pass('a')]).toEqual([
    0,
    0,
    null,
    null,
  ])
  clock.atMs = 59_999
  expect(throttle.pass('a')).toBe(null)
  clock.atMs = 60_000
  expect([throttle.pass('a'), throttle.pass('a'), throttle.pass('b')]).toEqual([3, null, 0])
})

test('kinds without end take no memory without end', () => {
  const { throttle } = open()
  for (let kind = 0; kind < 10_000; kind++) expect(throttle.pass(`${kind}`)).toBe(0)
  expect(throttle.pass('9999')).toBe(null)
  expect(throttle.pass('0')).toBe(0)
})
