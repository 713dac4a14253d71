import { expect, test } from 'vitest'
import type { FaultResult } from './run-fault.ts'
import { brokenRules, isStarved, missedTimes, NONE } from './verdict.ts'

const BUSY = { unseenShare: 0.005, unseenShareOfOthers: 0.05, isLessStalls: true }
const ONE = { sentAtMs: 0, doneAtMs: 200 }

function resultOf(more: Partial<FaultResult>): FaultResult {
  const good = {
    ...{ requests: 1_000, askedWhileBroken: 600, undisturbed: 600, others: null },
    ...{ inexcusable: [], refusedWithoutCause: 0, missedShares: [], wrong: [], plainShare: 1 },
    ...{ recoverySeconds: 0.1, recoveryStalledSeconds: 0, exitCode: 0 },
  }
  return { ...good, ...more } as FaultResult
}

test('what is well is well', () => {
  expect([...brokenRules(resultOf({}), NONE), ...missedTimes(resultOf({}), NONE)]).toEqual([])
})

test.each([
  ['a wrong answer', { wrong: ['another key'] }],
  ['no recovery', { recoverySeconds: null }],
  ['a recovery after more than five seconds', { recoverySeconds: 5.01 }],
  ['a load that node:http answers', { plainShare: 0 }],
  ['a gateway that crashes', { exitCode: 'SIGABRT' }],
] as const)('%s breaks a rule, whatever the machine does', (_, more) => {
  for (const leniency of [NONE, BUSY]) expect(brokenRules(resultOf(more), leniency)).toHaveLength(1)
})

test('a machine that stands still takes its time of a recovery, and on a quiet one nothing does', () => {
  const result = resultOf({ recoverySeconds: 7, recoveryStalledSeconds: 2.5 })
  expect(brokenRules(result, BUSY)).toEqual([])
  expect(brokenRules(result, NONE)).toHaveLength(1)
})

test('nothing late or refused is let pass on a quiet machine, and little on a busy one', () => {
  const some = { inexcusable: [ONE, ONE], refusedWithoutCause: 2 }
  expect(missedTimes(resultOf(some), NONE)).toEqual(['0.20 % were late', '0.20 % were refused'])
  expect(missedTimes(resultOf(some), BUSY)).toEqual([])
  const many = { inexcusable: Array(6).fill(ONE), refusedWithoutCause: 6 }
  expect(missedTimes(resultOf(many), BUSY)).toHaveLength(2)
})

test('late answers to others have a share of their own', () => {
  const result = (late: number) => resultOf({ others: { count: 1_000, late, p50Ms: 98, maxMs: 110 } })
  expect(missedTimes(result(1), NONE)).toEqual(['0.10 % of the others were late'])
  expect(missedTimes(result(50), BUSY)).toEqual([])
  expect(missedTimes(result(51), BUSY)).toHaveLength(1)
})

test('too few of those that met no stall are too few everywhere', () => {
  expect(missedTimes(resultOf({ missedShares: ['answered live: 1 of 100'] }), BUSY)).toHaveLength(1)
})

test('who met stalls for the most part was starved', () => {
  expect([300, 299].map((undisturbed) => isStarved(resultOf({ undisturbed })))).toEqual([false, true])
})
