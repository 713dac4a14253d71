import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assertShallow, MAX_DEPTH } from './body-depth.ts'

function isDeep(json: string): boolean {
  try {
    assertShallow(json)
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
      expect(isDeep(JSON.stringify(outer))).toBe(depthOf(outer) > MAX_DEPTH)
    }),
  )
})

test('many brackets side by side are not deep', () => {
  expect(isDeep(`[${'[],'.repeat(10_000)}[]]`)).toBe(false)
})

test('what is no JSON ends all the same', () => {
  for (const text of ['"'.repeat(200), '['.repeat(100_000), `${'{'.repeat(65)}"`, `"${'\\'.repeat(100_000)}`])
    expect(typeof isDeep(text)).toBe('boolean')
})
