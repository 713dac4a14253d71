import { expect, test } from 'vitest'
import type { Asked } from '../gateway-faults/load/generator.ts'
import { reportOf } from './callers.ts'

const asked = (sentAtMs: number, tookMs: number, status = 200): Asked => ({
  ...{ dueAtMs: sentAtMs, sentAtMs, doneAtMs: sentAtMs + tookMs, status },
  ...{
    key: 'k',
    score: 1,
    source: 'cache',
    model: 'm',
    reason: null,
    pool: null,
    inPhase: false,
    operation: 'GET /v1/scores',
    isPlain: true,
    problem: null,
  },
})
const down = [{ fromMs: 1_000, toMs: 2_000 }]
const stalls = [{ fromMs: 5_000, toMs: 5_200 }]
const samples = [0, 3_000, 3_150].map((atMs) => ({
  ...{ atMs, mainRanMs: atMs / 10, mainWaitedMs: atMs / 50, othersRanMs: 0 },
}))
const report = (...all: Asked[]) => reportOf(all, { down, stalls, samples })

test('an answer after the bound is late, and one within it is not', () => {
  expect(report(asked(0, 99), asked(3_000, 150))).toMatchObject({ requests: 2, inTime: 1, whileDown: 0 })
  expect(report(asked(3_000, 150)).late).toMatchObject([
    { meanwhile: { mainRanMs: 15, mainWaitedMs: 3, othersRanMs: 0 } },
  ])
})

test('what was asked of a gateway that was not there is told apart, however it ended', () => {
  const told = report(asked(900, 150), asked(1_500, 1, 0), asked(1_990, 3_000), asked(2_001, 150))
  expect(told).toMatchObject({ requests: 4, whileDown: 3, late: [{ sentAtMs: 2_001 }] })
})

test('a machine that stood still excuses what was under way then, and no more', () => {
  const told = report(asked(5_050, 200), asked(6_000, 200))
  expect(told).toMatchObject({ lateByTheMachine: 1, late: [{ sentAtMs: 6_000 }] })
})

test('a refusal is no late answer, and what is neither score nor unknown nor refusal is an error', () => {
  const told = report(asked(3_000, 1, 503), asked(3_000, 1, 404), asked(3_000, 1, 500))
  expect(told).toMatchObject({ refused: 1, late: [], errors: [{ status: 500 }] })
})
