import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { describeTrend, sparkline } from './sparkline.ts'

test('a line shows how a figure came to where it is', () => {
  expect(sparkline({ values: [0, 10, 20, 30, 40, 50, 60, 70], threshold: 30 })).toBe('▁▂▃▄▅▆▇█')
})

test('what is far below its threshold looks low, and what stands still stays flat', () => {
  expect(sparkline({ values: [1, 2, 1], threshold: 60 })).toBe('▁▁▁')
  expect(sparkline({ values: [0, 0, 0], threshold: 0 })).toBe('▁▁▁')
})

test('the figure, its unit and its threshold stand beside the line', () => {
  expect(describeTrend({ values: [12, 300], unit: 's', threshold: 60 })).toBe('▁█ 5 min, threshold 60 s')
  expect(describeTrend({ values: [0.01, 0.125], unit: 'share', threshold: 0.05 })).toBe(
    '▂█ 13 %, threshold 5 %',
  )
  expect(describeTrend({ values: [1], unit: 'records', threshold: 12_000 })).toBe(
    '▁ 1 records, threshold 12,000 records',
  )
})

test('whatever the figures are, there is a bar for each of the last 24, and a higher figure has no lower bar', () => {
  const any = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 0, -1))
  fc.assert(
    fc.property(
      fc.array(any, { minLength: 1, maxLength: 40 }),
      fc.double({ noNaN: true }),
      (values, threshold) => {
        const line = sparkline({ values, threshold })
        expect(line).toMatch(/^[ ▁▂▃▄▅▆▇█]+$/)
        expect([...line]).toHaveLength(Math.min(24, values.length))
        const bars = [...line].map((bar, at) => ({ bar, value: values.slice(-24)[at]! }))
        const sorted = bars.filter(({ bar }) => bar !== ' ').toSorted((a, b) => a.value - b.value)
        for (const [at, { bar }] of sorted.slice(1).entries()) expect(bar >= sorted[at]!.bar).toBe(true)
      },
    ),
  )
})
