import { seeded } from '@freshet/stage/seeded.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lowest, SAMPLE_PAIRS, Sample } from './sample.ts'

test('a sample of however many pairs is bounded, and as good as one of each part', () => {
  const random = seeded(3)
  const sample = new Sample(random)
  for (let i = 0; i < 100_000; i++) sample.add(i, -i)
  expect(sample.pairs.length).toBeLessThan(2 * SAMPLE_PAIRS)
  const kept = lowest(sample.pairs)
  expect(kept.length).toBe(SAMPLE_PAIRS)
  const mean = kept.reduce((sum, [, current]) => sum + current, 0) / kept.length
  expect(mean).toBeGreaterThan(47_000)
  expect(mean).toBeLessThan(53_000)
})

test('samples of parts merge into the sample that the whole would have had', () => {
  const priorities = fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), {
    maxLength: 4_000,
  })
  fc.assert(
    fc.property(priorities, fc.integer({ min: 1, max: 4 }), (drawn, parts) => {
      const sampleOf = (numbers: readonly number[]) => {
        const left = [...numbers]
        const sample = new Sample(() => left.shift()!)
        for (const number of numbers) sample.add(number, 0)
        return lowest(sample.pairs)
      }
      const split = Array.from({ length: parts }, (_, part) => drawn.filter((_d, i) => i % parts === part))
      expect(lowest(split.flatMap(sampleOf))).toEqual(sampleOf(drawn))
    }),
    { numRuns: 30 },
  )
})
