import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { CAPACITY_PAGE, withTables } from './capacity-page.ts'
import { simulateCommits } from './growth/commits.ts'
import { growthOf, type Measured } from './growth/growth.ts'
import { SCALES, type Scale } from './growth/scales.ts'

/** Months take seconds; of a busy machine, more. */
const SIMULATED_MS = 180_000

test(
  'docs/capacity.md says what was measured and simulated (else: npm run reference)',
  () => {
    const page = readFileSync(CAPACITY_PAGE, 'utf8')
    expect(page).toBe(withTables(page))
  },
  SIMULATED_MS,
)

/** Some two digits of what one machine gave: the promises below hold for any near them. */
const MEASURED: Measured = {
  ...{ snapshotBytesPerRow: 20, redisBytesPerKey: 220 },
  ...{ kafkaBytesPerChange: 500, cpuMicrosPerChange: 60 },
}
const scale = (name: string): Scale => SCALES.find((one) => one.name === name)!

/** The planner, the names, what is kept for late readers and the manifest's bytes are the product's; S3 is a few numbers. */
describe('a month by a simulated clock', () => {
  test.each(['1 billion', '1 billion, in no hurry', '100 billion'])(
    '%s: files stay few, merges end and keep up, commits are made',
    (name) => {
      const { month, commits, scale: at, manifestBytes } = growthOf(scale(name), MEASURED)
      expect(month.mostFilesOfAPartition).toBeLessThan(40)
      expect(month.busyShare).toBeLessThan(0.1)
      expect(month.longestMergeSeconds).toBeLessThan(900)
      expect(month.mergedRows / month.newRows).toBeLessThan(15)
      expect(month.merges).toBeGreaterThan(0)
      expect(commits.keptUpShare).toBeGreaterThan(0.95)
      expect(commits.givenUpShare).toBe(0)
      expect(commits.longestSeconds).toBeLessThan(at.intervalSeconds)
      expect(manifestBytes).toBeLessThan(6e6)
    },
  )

  test('a thousand partitions do not go with a delta a minute: their one manifest is too large for so many commits', () => {
    const { commits, manifestBytes } = growthOf(scale('100 billion, defaults'), MEASURED)
    expect(manifestBytes).toBeGreaterThan(15e6)
    expect(commits.keptUpShare).toBeLessThan(0.9)
  })

  test('a base is as many parts as S3 takes, with room', () => {
    for (const one of SCALES) {
      const rows = one.documents / one.partitions
      expect((rows * MEASURED.snapshotBytesPerRow) / (8 * 2 ** 20)).toBeLessThan(10_000 / 10)
    }
  })
})

describe('many writers of one manifest', () => {
  const quick = { hours: 1, readMs: 30, putMs: 70, seed: 8 }

  test('who is alone is never in his own way', () => {
    const alone = simulateCommits({ ...quick, writers: 1, everySeconds: 1 })
    expect(alone).toMatchObject({ attemptsACommit: 1, givenUpShare: 0 })
    expect(alone.keptUpShare).toBeGreaterThan(0.99)
  })

  test('ever more of them get ever more in each other’s way, and no more commits are made than puts fit in an hour', () => {
    const attempts = [1, 4, 16, 64, 256].map((writers) =>
      simulateCommits({ ...quick, writers, everySeconds: 10 }),
    )
    const each = attempts.map(({ attemptsACommit }) => attemptsACommit)
    expect(each).toEqual(each.toSorted((a, b) => a - b))
    for (const { commits } of attempts) expect(commits).toBeLessThanOrEqual(3_600_000 / quick.putMs)
    expect(attempts.at(-1)!.keptUpShare).toBeLessThan(0.6)
  })
})
