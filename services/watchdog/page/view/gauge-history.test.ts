import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GaugeHistory } from './gauge-history.ts'

const OPTIONS = { bucketSeconds: 5, buckets: 6 }

test('each bucket keeps the highest of its looks; where nobody looked, or nothing was known, there is a gap', () => {
  const history = new GaugeHistory(OPTIONS)
  for (const [second, value] of [
    [0, 3],
    [4, 7],
    [6, 1],
    [11, null],
    [21, 2],
  ] as const)
    history.look(second * 1_000, { lag: value })
  expect(history.history('lag', 24_000)).toEqual([null, 7, 1, null, null, 2])
  expect(history.history('other', 24_000)).toEqual(Array(6).fill(null))
})

test('it forgets what is older than its buckets, whatever comes in whatever order', () => {
  const looks = fc.array(fc.tuple(fc.integer({ min: 0, max: 300_000 }), fc.integer({ min: 0, max: 9 })))
  fc.assert(
    fc.property(looks, (all) => {
      const history = new GaugeHistory(OPTIONS)
      const sorted = all.toSorted(([a], [b]) => a - b)
      for (const [atMs, value] of sorted) history.look(atMs, { lag: value })
      const nowMs = sorted.at(-1)?.[0] ?? 0
      const bucketOf = (atMs: number) => Math.floor(atMs / 5_000)
      const expected = Array.from({ length: 6 }, (_, at) => {
        const bucket = bucketOf(nowMs) - 5 + at
        const values = sorted.filter(([atMs]) => bucketOf(atMs) === bucket).map(([, value]) => value)
        return values.length === 0 ? null : Math.max(...values)
      })
      expect(history.history('lag', nowMs)).toEqual(expected)
    }),
  )
})
