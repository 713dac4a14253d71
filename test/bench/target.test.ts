import { expect, test } from 'vitest'
import { bareNumbers, judge, measuredFor, type Target, targetText } from './target.ts'

const ours = { value: 90, cpuMicrosPerRow: 12, also: { p99Ms: 40 } }
const bare = bareNumbers({
  value: 100,
  cpuMicrosPerRow: 10,
  parts: { peer: { also: { p99Ms: 80 } } },
})

test.each<[Target, string, number, string]>([
  [{ of: 'value', atLeast: 90 }, '≥ 90 rows/s', 90, 'met'],
  [{ of: 'value', atMost: 89 }, '≤ 89 rows/s', 90, 'MISSED'],
  [{ of: 'value', than: 'baseline', atLeast: 0.95 }, 'ratio ≥ 0.95', 0.9, 'MISSED'],
  [{ of: 'cpuMicrosPerRow', than: 'baseline', atMost: 1.3 }, 'CPU ratio ≤ 1.3', 1.2, 'met'],
  [{ of: 'cpuMicrosPerRow', atMost: 10 }, 'CPU ≤ 10 µs', 12, 'MISSED'],
  [{ of: 'p99Ms', than: 'baseline', atMost: 1 }, 'ratio of p99Ms ≤ 1', 0.5, 'met'],
  [{ of: 'p99Ms', atMost: 5 }, 'p99Ms ≤ 5', 40, 'MISSED'],
])('%o is told as "%s", and judged by %f: %s', (target, text, found, verdict) => {
  expect(targetText(target, 'rows/s')).toBe(text)
  expect(measuredFor(target, ours, bare)).toBe(found)
  expect(judge(target, ours, bare)).toBe(verdict)
})

test('what was not measured is neither met nor missed', () => {
  expect(judge({ of: 'stackMiB', atMost: 1 }, ours, bare)).toBe('not measured')
  expect(judge({ of: 'value', than: 'baseline', atLeast: 1 }, ours, null)).toBe('not measured')
  expect(judge({ of: 'value', atMost: 1 }, { ...ours, value: Number.NaN }, bare)).toBe('not measured')
  const two = bareNumbers({ ...ours, parts: { read: { also: { p99Ms: 1 } }, write: { also: { p99Ms: 2 } } } })
  expect(judge({ of: 'p99Ms', than: 'baseline', atMost: 1 }, ours, two)).toBe('not measured')
})

test('ratios of rounds are told where they were written down, and no quotient takes their place', () => {
  const ratio: Target = { of: 'value', than: 'baseline', atLeast: 0.9 }
  const paired = bareNumbers({ value: 100, cpuMicrosPerRow: 10, ratios: { value: 0.8 }, parts: {} })
  expect(measuredFor(ratio, ours, paired)).toBe(0.8)
  expect(measuredFor({ of: 'cpuMicrosPerRow', than: 'baseline', atMost: 1 }, ours, paired)).toBeUndefined()
})

test('of what does not grow, ours is no multiple, and a memory that is half of the other is a ratio of a half', () => {
  const ratio: Target = { of: 'value', than: 'baseline', atMost: 1 }
  const flat = { value: -0.2, cpuMicrosPerRow: 10, parts: {} }
  expect(measuredFor(ratio, ours, bareNumbers(flat))).toBeUndefined()
  expect(measuredFor(ratio, { ...ours, value: -1 }, bareNumbers({ ...flat, value: 100 }))).toBeUndefined()
  expect(measuredFor(ratio, { ...ours, value: 50 }, bareNumbers({ ...flat, value: 100 }))).toBe(0.5)
})
