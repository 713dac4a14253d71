import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type RateLimit, takeLate, takeToken } from './token-bucket.ts'

const limits: fc.Arbitrary<RateLimit> = fc.record({
  perSecond: fc.double({ min: 0.01, max: 100_000, noNaN: true }),
  burst: fc.integer({ min: 1, max: 1_000 }),
})
const pausesMs = fc.array(fc.double({ min: 0, max: 5_000, noNaN: true }), { minLength: 1, maxLength: 300 })

/** A token takes a whole number of milliseconds, and so do the pauses: nothing is rounded. */
const exactLimits: fc.Arbitrary<RateLimit> = fc.record({
  perSecond: fc.constantFrom(0.125, 0.5, 1, 2, 4, 5, 8, 10, 40, 100, 125, 200, 500, 1_000),
  burst: fc.integer({ min: 1, max: 1_000 }),
})
const exactPausesMs = fc.array(fc.nat(5_000), { minLength: 1, maxLength: 300 })

/** Moments of those that were let through. */
function admitted(limit: RateLimit, pauses: readonly number[]): number[] {
  let fullAtMs = 0
  let nowMs = 0
  return pauses.flatMap((pauseMs) => {
    nowMs += pauseMs
    const taken = takeToken(fullAtMs, nowMs, limit)
    fullAtMs = taken.fullAtMs
    return taken.isAllowed ? [nowMs] : []
  })
}

test('in no stretch of time more are let through than the burst and what the rate gives meanwhile', () => {
  fc.assert(
    fc.property(limits, pausesMs, (limit, pauses) => {
      const atMs = admitted(limit, pauses)
      for (let from = 0; from < atMs.length; from++)
        for (let to = from; to < atMs.length; to++) {
          const most = limit.burst + ((atMs[to]! - atMs[from]!) / 1_000) * limit.perSecond
          expect(to - from + 1).toBeLessThanOrEqual(most * (1 + 1e-9))
        }
    }),
  )
})

test('who keeps to the rate is never refused, whatever was refused to it before', () => {
  fc.assert(
    fc.property(limits, pausesMs, fc.nat(50), (limit, pauses, more) => {
      let fullAtMs = 0
      let nowMs = 0
      for (const pauseMs of pauses) {
        nowMs += pauseMs
        fullAtMs = takeToken(fullAtMs, nowMs, limit).fullAtMs
      }
      for (let i = 0; i < more; i++) {
        nowMs += (1_000 / limit.perSecond) * (1 + 1e-6) + 1e-6
        const taken = takeToken(fullAtMs, nowMs, limit)
        expect(taken.isAllowed).toBe(true)
        fullAtMs = taken.fullAtMs
      }
    }),
  )
})

test('who is refused is told the very wait after which it is let in', () => {
  fc.assert(
    fc.property(exactLimits, exactPausesMs, (limit, pauses) => {
      let fullAtMs = 0
      let nowMs = 0
      for (const pauseMs of pauses) {
        nowMs += pauseMs
        const taken = takeToken(fullAtMs, nowMs, limit)
        fullAtMs = taken.fullAtMs
        if (taken.isAllowed) continue
        expect(taken.retryAfterMs).toBeGreaterThan(0)
        expect(takeToken(fullAtMs, nowMs + taken.retryAfterMs * 0.999, limit).isAllowed).toBe(false)
        expect(takeToken(fullAtMs, nowMs + taken.retryAfterMs, limit).isAllowed).toBe(true)
      }
    }),
  )
})

test('processes that tell each other late let in no more in the long run than one would', () => {
  const asks = fc.array(fc.record({ pauseMs: fc.nat(400), by: fc.nat(2), isTold: fc.boolean() }), {
    maxLength: 300,
  })
  fc.assert(
    fc.property(exactLimits, asks, (limit, all) => {
      const fullAtMs = [0, 0, 0]
      const untold = [0, 0, 0]
      let [nowMs, admitted] = [0, 0]
      const tellAll = () => {
        for (const from of [0, 1, 2])
          for (const to of [0, 1, 2])
            if (to !== from) fullAtMs[to] = takeLate(fullAtMs[to]!, nowMs, untold[from]!, limit)
        untold.fill(0)
      }
      for (const { pauseMs, by, isTold } of all) {
        nowMs += pauseMs
        const taken = takeToken(fullAtMs[by]!, nowMs, limit)
        fullAtMs[by] = taken.fullAtMs
        if (taken.isAllowed) {
          untold[by]!++
          admitted++
        }
        if (isTold) tellAll()
      }
      tellAll()
      const most = limit.burst + (nowMs / 1_000) * limit.perSecond
      const debt = Math.max(0, admitted - most)
      // Whatever was too much is owed: nobody lets anything in before it is paid.
      const paidAtMs = nowMs + (debt / limit.perSecond) * 1_000
      for (const full of fullAtMs)
        if (debt >= 1) expect(takeToken(full, paidAtMs - 1e-6, limit).isAllowed).toBe(false)
    }),
  )
})
