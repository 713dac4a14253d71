import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Breaker } from './breaker.ts'

const options = { misses: 3, restMs: 100 }

function cutOff(): Breaker {
  const breaker = new Breaker(options)
  for (let i = 0; i < options.misses; i++) breaker.missed(0)
  return breaker
}

test('failures that are not in a row cut nothing off', () => {
  const breaker = new Breaker(options)
  for (let i = 0; i < 10; i++) {
    breaker.missed(i)
    breaker.missed(i)
    breaker.succeeded()
  }
  expect(breaker.admits(10)).toBe(true)
})

test('after enough failures in a row nobody is let through until the rest is over', () => {
  const breaker = cutOff()
  expect(breaker.admits(0)).toBe(false)
  expect(breaker.admits(99)).toBe(false)
  expect(breaker.admits(100)).toBe(true)
})

test('one at a time tries whether it works again', () => {
  const breaker = cutOff()
  expect(breaker.admits(100)).toBe(true)
  expect(breaker.admits(101)).toBe(false)
  breaker.missed(120)
  expect(breaker.admits(219)).toBe(false)
  expect(breaker.admits(220)).toBe(true)
  breaker.succeeded()
  expect(breaker.admits(220)).toBe(true)
  expect(breaker.admits(220)).toBe(true)
})

test('a trial that ends without a verdict makes room for the next', () => {
  const breaker = cutOff()
  expect(breaker.admits(100)).toBe(true)
  breaker.undecided()
  expect(breaker.admits(100)).toBe(true)
})

test('a dependency that works is let through again within one rest, whatever happened before', () => {
  const events = fc.array(fc.record({ afterMs: fc.nat(300), works: fc.boolean() }))
  fc.assert(
    fc.property(events, (history) => {
      const breaker = new Breaker(options)
      let nowMs = 0
      for (const { afterMs, works } of history) {
        nowMs += afterMs
        if (!breaker.admits(nowMs)) continue
        if (works) breaker.succeeded()
        else breaker.missed(nowMs)
      }
      expect(breaker.admits(nowMs + options.restMs)).toBe(true)
    }),
  )
})
