import { expect, test } from 'vitest'
import { problemsOf, TABLE_HEAD, tableRow, type Verdict } from './verdict.ts'

const good: Verdict = {
  ...{ seed: 1, minutes: 1, faults: 20, passedOver: 0, findings: [], writes: 100 },
  proof: { documents: 40, missing: 0, stale: 0, extra: 0 },
  verify: { code: 0, says: 'complete' },
  callers: {
    ...{
      requests: 10,
      inTime: 10,
      whileDown: 0,
      lateByTheMachineAtMs: [],
      lateByTheMachine: 0,
      late: [],
      refused: 0,
      errors: [],
    },
    ...{ p50Ms: 1, p99Ms: 2, maxMs: 3, bySource: { cache: 10 } },
  },
  healthySeconds: 12,
  resources: {
    poller: { before: { memoryMiB: 100, files: 30 }, after: { memoryMiB: 110, files: 31 }, isBack: true },
  },
  ...{ told: 2, unexplained: [], open: [] },
}

test('a round holds when nothing is wrong', () => {
  expect(problemsOf(good)).toEqual([])
})

const broken: readonly (readonly [string, Partial<Verdict>])[] = [
  ['a score is lost', { proof: { documents: 40, missing: 1, stale: 0, extra: 0 } }],
  ['a score is stale', { proof: { documents: 40, missing: 0, stale: 1, extra: 0 } }],
  ['a score is left over', { proof: { documents: 40, missing: 0, stale: 0, extra: 1 } }],
  ['the proof could not be made', { proof: null }],
  ['verify fails', { verify: { code: 1, says: '' } }],
  ['a process does not end as it should', { findings: ['poller: asked to end, it ended with 1'] }],
  ['an alert has no cause', { unexplained: [{ change: 'FIRING', title: 't', atMs: 0 }] }],
  ['an alert stays open', { open: ['t'] }],
  ['no watchdog answers', { open: null }],
  [
    'a process keeps what it took',
    { resources: { poller: { ...good.resources['poller']!, isBack: false } } },
  ],
]

test.each(broken)('it does not when %s, on whatever machine', (_, wrong) => {
  expect(problemsOf({ ...good, ...wrong })).toMatchObject([{ isTiming: false }])
})

test.each([null, 61])('healthy after %s s is too late, which a busy machine may excuse', (healthySeconds) => {
  expect(problemsOf({ ...good, healthySeconds })).toMatchObject([{ isTiming: true }])
})

test('a row has a cell for each column', () => {
  const [head] = TABLE_HEAD.split('\n')
  expect(tableRow(good).split(' | ')).toHaveLength(head!.split(' | ').length)
})
