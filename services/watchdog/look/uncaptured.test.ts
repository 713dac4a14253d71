import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Uncaptured } from './uncaptured.ts'

const ageIn = (uncaptured: Uncaptured, at: Parameters<Uncaptured['see']>[0], nowMs: number) =>
  uncaptured.see(at, nowMs).behindSeconds

test('what is not captured ages until the cursor passes it, and what came later is younger', () => {
  const uncaptured = new Uncaptured()
  expect(ageIn(uncaptured, { checkpoint: 9, cursorSeqNo: 9 }, 0)).toBe(0)
  expect(ageIn(uncaptured, { checkpoint: 20, cursorSeqNo: 9 }, 10_000)).toBe(0)
  expect(ageIn(uncaptured, { checkpoint: 30, cursorSeqNo: 12 }, 20_000)).toBe(10)
  expect(ageIn(uncaptured, { checkpoint: 30, cursorSeqNo: 20 }, 30_000)).toBe(10)
  expect(ageIn(uncaptured, { checkpoint: 30, cursorSeqNo: 30 }, 40_000)).toBe(0)
})

test('an index that is busy and captured in time is never old', () => {
  const uncaptured = new Uncaptured()
  for (let look = 1; look < 200; look++)
    expect(ageIn(uncaptured, { checkpoint: look * 100, cursorSeqNo: look * 100 - 5 }, look * 10_000)).toBe(0)
})

test('a checkpoint that falls, as after a failover, takes its marks along', () => {
  const uncaptured = new Uncaptured()
  uncaptured.see({ checkpoint: 20, cursorSeqNo: 9 }, 0)
  expect(ageIn(uncaptured, { checkpoint: 8, cursorSeqNo: 9 }, 10_000)).toBe(0)
  expect(ageIn(uncaptured, { checkpoint: 20, cursorSeqNo: 9 }, 20_000)).toBe(0)
})

test('what was there at the first look may be older, until the cursor has passed it', () => {
  const uncaptured = new Uncaptured()
  expect(uncaptured.see({ checkpoint: 9, cursorSeqNo: 4 }, 0)).toEqual({
    behindSeconds: 0,
    behindBefore: true,
  })
  expect(uncaptured.see({ checkpoint: 20, cursorSeqNo: 5 }, 10_000)).toEqual({
    behindSeconds: 10,
    behindBefore: true,
  })
  expect(uncaptured.see({ checkpoint: 20, cursorSeqNo: 9 }, 30_000)).toEqual({ behindSeconds: 20 })
})

/*
 * Proved for every rise of checkpoint and cursor, with looks at any pace: an operation that is not captured is told to be
 * as old as it is, less at most the time between two looks; more only by thinning, which needs 64 looks behind.
 */
test('the age is that of the oldest operation above the cursor, to within a look', () => {
  const look = fc.record({
    pauseMs: fc.integer({ min: 1_000, max: 15_000 }),
    written: fc.nat(20),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  fc.assert(
    fc.property(fc.array(look, { maxLength: 50 }), (looks) => {
      const uncaptured = new Uncaptured()
      const writtenAtMs: number[] = [] // by sequence number: when the look before its own was made, and when its own
      const seenAtMs: number[] = []
      let [nowMs, cursor] = [0, -1]
      for (const { pauseMs, written, share } of looks) {
        const beforeMs = nowMs
        nowMs += pauseMs
        for (let n = 0; n < written; n++) {
          writtenAtMs.push(beforeMs)
          seenAtMs.push(nowMs)
        }
        const checkpoint = writtenAtMs.length - 1
        cursor += Math.floor((checkpoint - cursor) * share)
        const age = Math.round(ageIn(uncaptured, { checkpoint, cursorSeqNo: cursor }, nowMs) * 1_000)
        if (checkpoint === cursor) expect(age).toBe(0)
        else {
          expect(age).toBe(nowMs - seenAtMs[cursor + 1]!)
          expect(age).toBeLessThanOrEqual(nowMs - writtenAtMs[cursor + 1]!)
        }
      }
    }),
  )
})
