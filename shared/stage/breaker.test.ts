import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Breaker } from './breaker.ts'

const options = { misses: 3, restMs: 100 }

function cutOff(): Breaker {
  const breaker = new Breaker(options)
  for (let i = 0; i < options.misses; i++) breaker.missed(breaker.admit(0), 0)
  return breaker
}

test('failures that are not in a row cut nothing off', () => {
  const breaker = new Breaker(options)
  for (let i = 0; i < 10; i++) {
    breaker.missed(breaker.admit(i), i)
    breaker.missed(breaker.admit(i), i)
    breaker.succeeded()
  }
  expect(breaker.admit(10)).not.toBe(0)
})

test('after enough failures in a row nobody is let through until the rest is over', () => {
  const breaker = cutOff()
  expect(breaker.admit(0)).toBe(0)
  expect(breaker.admit(99)).toBe(0)
  expect(breaker.admit(100)).not.toBe(0)
})

test('one at a time tries whether it works again', () => {
  const breaker = cutOff()
  const trial = breaker.admit(100)
  expect(trial).not.toBe(0)
  expect(breaker.admit(101)).toBe(0)
  breaker.missed(trial, 120)
  expect(breaker.admit(219)).toBe(0)
  expect(breaker.admit(220)).not.toBe(0)
  breaker.succeeded()
  expect(breaker.admit(220)).not.toBe(0)
  expect(breaker.admit(220)).not.toBe(0)
})

test('a trial that ends without a verdict makes room for the next', () => {
  const breaker = cutOff()
  breaker.undecided(breaker.admit(100))
  expect(breaker.admit(100)).not.toBe(0)
})

test('requests from before the cut make no room for a second trial', () => {
  const breaker = new Breaker(options)
  const stragglers = [breaker.admit(0), breaker.admit(0)]
  for (let i = 0; i < options.misses; i++) breaker.missed(breaker.admit(0), 0)
  const trial = breaker.admit(100)
  expect(trial).not.toBe(0)
  breaker.undecided(stragglers[0]!)
  expect(breaker.admit(101)).toBe(0)
  breaker.missed(stragglers[1]!, 102)
  expect(breaker.admit(1_000)).toBe(0)
  breaker.undecided(trial)
  expect(breaker.admit(1_000)).not.toBe(0)
})

test('however requests end and overlap, at most one trial is under way, and none is left behind', () => {
  const steps = fc.array(
    fc.record({
      afterMs: fc.nat(150),
      asks: fc.boolean(),
      which: fc.nat(20),
      how: fc.constantFrom('succeeded', 'missed', 'undecided'),
    }),
  )
  fc.assert(
    fc.property(steps, (history) => {
      const breaker = new Breaker(options)
      const open: { readonly ticket: number; isTrial: boolean }[] = []
      let nowMs = 0
      let row = 0
      const end = (at: number, how: 'succeeded' | 'missed' | 'undecided') => {
        const { ticket } = open.splice(at, 1)[0]!
        if (how === 'succeeded') {
          breaker.succeeded()
          row = 0
          for (const one of open) one.isTrial = false // what it tried is known
        } else if (how === 'missed') {
          breaker.missed(ticket, nowMs)
          row++
        } else breaker.undecided(ticket)
      }
      for (const { afterMs, asks, which, how } of history) {
        nowMs += afterMs
        if (!asks && open.length > 0) end(which % open.length, how)
        else {
          const ticket = breaker.admit(nowMs)
          if (ticket !== 0) open.push({ ticket, isTrial: row >= options.misses })
        }
        expect(open.filter(({ isTrial }) => isTrial).length).toBeLessThanOrEqual(1)
      }
      while (open.length > 0) end(0, 'undecided')
      expect(breaker.admit(nowMs + options.restMs)).not.toBe(0)
    }),
  )
})

test('a dependency that works is let through again within one rest, whatever happened before', () => {
  const events = fc.array(fc.record({ afterMs: fc.nat(300), works: fc.boolean() }))
  fc.assert(
    fc.property(events, (history) => {
      const breaker = new Breaker(options)
      let nowMs = 0
      for (const { afterMs, works } of history) {
        nowMs += afterMs
        const ticket = breaker.admit(nowMs)
        if (ticket === 0) continue
        if (works) breaker.succeeded()
        else breaker.missed(ticket, nowMs)
      }
      expect(breaker.admit(nowMs + options.restMs)).not.toBe(0)
    }),
  )
})
