import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assertModest, MAX_DEPTH, MAX_VALUES } from './body-shape.ts'

function isRefused(json: string): boolean {
  try {
    assertModest(json)
    return false
  } catch {
    return true
  }
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

test('JSON is refused when it is nested deeper than the limit, whatever its texts hold', () => {
  const value = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 6 },
      fc.string({ unit: fc.constantFrom('{', '[', '"', '\\', 'a', ']', '}') }),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(fc.string({ unit: fc.constantFrom('"', '\\', '{', 'b') }), tie('node'), { maxKeys: 3 }),
    ),
  })).node
  fc.assert(
    fc.property(value, fc.integer({ min: 0, max: MAX_DEPTH + 4 }), fc.boolean(), (inner, wraps, inArrays) => {
      let outer: unknown = inner
      for (let i = 0; i < wraps; i++) outer = inArrays ? [outer] : { '{"[': outer }
      expect(isRefused(JSON.stringify(outer))).toBe(depthOf(outer) > MAX_DEPTH)
    }),
  )
})

test('many brackets side by side are not deep', () => {
  expect(isRefused(`[${'[],'.repeat(10_000)}[]]`)).toBe(false)
})

test('values without end are refused, wherever they stand; long texts are not', () => {
  const commas = ','.repeat(MAX_VALUES)
  expect(isRefused(`["${commas.repeat(3)}"]`)).toBe(false)
  expect(isRefused(`[${'1,'.repeat(MAX_VALUES - 10)}1]`)).toBe(false)
  expect(isRefused(`[${'1,'.repeat(MAX_VALUES)}1]`)).toBe(true)
  expect(isRefused(`{"a":[${'[],'.repeat(MAX_VALUES)}[]]}`)).toBe(true)
})

test('what is no JSON ends all the same', () => {
  for (const text of ['"'.repeat(200), '['.repeat(100_000), `${'{'.repeat(65)}"`, `"${'\\'.repeat(100_000)}`])
    expect(typeof isRefused(text)).toBe('boolean')
})
