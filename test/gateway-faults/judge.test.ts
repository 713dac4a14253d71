import { expect, test } from 'vitest'
import { judge, metStall, missedShares, recoverySeconds, waitedMs } from './judge.ts'
import type { Asked } from './load/generator.ts'

function asked(sentAtMs: number, tookMs: number | null, more: Partial<Asked> = {}): Asked {
  const doneAtMs = tookMs === null ? null : sentAtMs + tookMs
  const answer = {
    key: 'a',
    score: 1,
    source: 'cache',
    model: 'm@1',
    reason: null,
    pool: null,
    problem: null,
    inPhase: false,
    operation: 'GET /v1/scores',
    isPlain: true,
  }
  return { dueAtMs: sentAtMs, sentAtMs, doneAtMs, status: 200, ...answer, ...more }
}

test('late is what took longer than 100 ms, less what the machine took of it; no answer is never excused', () => {
  const all = [asked(0, 99), asked(0, 150), asked(1_000, 150), asked(2_000, 400), asked(3_000, null)]
  const stalls = [
    { fromMs: 1_050, toMs: 1_090 },
    { fromMs: 2_050, toMs: 2_090 },
  ]
  const { inTime, lateByTheMachine, late } = judge(all, stalls)
  expect({ inTime, lateByTheMachine }).toEqual({ inTime: 1, lateByTheMachine: 1 })
  expect(late).toEqual([all[1], all[3], all[4]])
})

test('a moment that two stalls share is excused once', () => {
  const stalls = [
    { fromMs: 10, toMs: 40 },
    { fromMs: 20, toMs: 50 },
  ]
  expect(judge([asked(0, 161)], stalls).late).toHaveLength(1)
  expect(judge([asked(0, 159)], stalls).late).toHaveLength(0)
})

const OVERLOADED = { status: 503, source: null, problem: 'OVERLOADED' }

test('who is refused at once was not accepted', () => {
  const { refused, inTime, late, bySource, refusals } = judge([asked(0, 5), asked(0, 7, OVERLOADED)], [])
  expect({ refused, inTime, late, bySource, refusals }).toEqual({
    refused: 1,
    inTime: 1,
    late: [],
    bySource: { cache: 1, '503 OVERLOADED': 1 },
    refusals: { p99Ms: 7, maxMs: 7 },
  })
})

test('who is refused after the bound was answered late', () => {
  const one = asked(0, 101, OVERLOADED)
  const { refused, inTime, late, refusals } = judge([asked(0, 5), one], [])
  expect({ refused, inTime, late }).toEqual({ refused: 0, inTime: 1, late: [one] })
  expect(refusals.maxMs).toBe(101)
})

test('what threads waited before and after does not count', () => {
  const waits = [0, 10, 20, 30].map((atMs) => ({ atMs, othersWaitedMs: 100 + atMs / 2 }))
  expect([0, 15, 31].map((fromMs) => waitedMs(waits, fromMs, 40))).toEqual([15, 5, 0])
  expect(waitedMs(waits, 0, 19)).toBe(5)
})

test('a share is of those that it is about, and of none there is nothing to say', () => {
  const share = {
    what: 'refused',
    atLeast: 0.5,
    of: ({ operation }: Asked) => operation === 'POST /v1/scores',
    is: ({ status }: Asked) => status === 503,
  }
  const heavy = (status: number) => asked(0, 1, { operation: 'POST /v1/scores', status })
  expect(missedShares([share], [heavy(503), heavy(200), asked(0, 1)])).toEqual([])
  expect(missedShares([share], [heavy(503), heavy(200), heavy(200)])).toEqual([
    'refused: 1 of 3, less than 50 %',
  ])
  expect(missedShares([share], [asked(0, 1)])).toEqual([])
})

test('a stall counts only when it is long, and near', () => {
  const one = asked(1_000, 120)
  expect(metStall(one, [{ fromMs: 1_130, toMs: 1_145 }])).toBe(true)
  expect(metStall(one, [{ fromMs: 1_150, toMs: 1_200 }])).toBe(false)
  expect(metStall(one, [{ fromMs: 1_050, toMs: 1_059 }])).toBe(false)
})

test('recovered is from when many answers in a row are good', () => {
  const isGood = ({ source }: Asked) => source === 'cache'
  const all = Array.from({ length: 200 }, (_, i) =>
    asked(i * 10, 1, i < 60 || i === 80 ? { source: 'snapshot' } : {}),
  )
  expect(recoverySeconds(all, 500, isGood)).toBeCloseTo(0.31)
  expect(recoverySeconds(all.slice(0, 120), 500, isGood)).toBeNull()
})
