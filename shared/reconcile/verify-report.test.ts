import { describe, expect, test } from 'vitest'
import { shardReport, verifyReport } from './verify-report.kit.ts'
import { isComplete, type Tally, totalOf, type VerifyReport } from './verify-report.ts'

function reportOf(tallies: readonly Partial<Tally>[], parts: Partial<VerifyReport> = {}): VerifyReport {
  return verifyReport({
    shards: tallies.map((tally, shard) => shardReport('flights', shard, tally)),
    ...parts,
  })
}

test('the sum is over all shards, with what indices that are no more have left', () => {
  const report = reportOf(
    [
      { live: 3, scored: 3, extra: 1 },
      { live: 4, missing: 4 },
    ],
    { extraOfTheDead: 2 },
  )
  expect(totalOf(report)).toMatchObject({ live: 7, scored: 3, missing: 4, extra: 3 })
})

describe('a proof', () => {
  test.each(['missing', 'stale', 'extra', 'pending', 'newerModel'] as const)(
    'fails by a single one that is %s',
    (name) => {
      expect(isComplete(reportOf([{ live: 9, scored: 9 }, { [name]: 1 }]))).toBe(false)
    },
  )

  test.each(['olderModel', 'setAside', 'withoutKey'] as const)('does not fail by %s', (name) => {
    expect(isComplete(reportOf([{ live: 1, [name]: 1 }]))).toBe(true)
  })

  test('fails by a shard that could not be read, and by scores of an index that is no more', () => {
    expect(isComplete(reportOf([], { unreadable: ['flights/0'] }))).toBe(false)
    expect(isComplete(reportOf([], { extraOfTheDead: 1 }))).toBe(false)
    expect(isComplete(reportOf([], { closed: ['old'], gone: ['older'] }))).toBe(true)
  })
})
