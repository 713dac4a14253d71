import type { Order } from '@freshet/records/control.ts'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { matches, silencedBy } from './silences.ts'

const stamp = { version: 1, by: 'anna', reason: 'disk', atMs: 1, untilMs: 2 } as const
const lag = { id: 'lag/air-infer', kind: 'lag' } as const

test.each([
  ['lag/air-infer', true],
  ['lag', true],
  ['lag/*', true],
  ['*infer', true],
  ['l*/*-i*r', true],
  ['*', true],
  ['lag/', false],
  ['lag/air-infer*-infer', false],
  ['lag.air-infer', false],
  ['silent', false],
])('%s matches the lag of infer: %s', (pattern, expected) => {
  expect(matches(pattern, lag)).toBe(expected)
})

test('a pattern that is a text with holes matches that text, and never takes long', () => {
  const part = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', '(', '\\') })
  fc.assert(
    fc.property(fc.array(part, { minLength: 1 }), part, (parts, filling) => {
      expect(matches(parts.join('*'), { ...lag, id: parts.join(filling.replaceAll('*', '')) })).toBe(true)
    }),
  )
  expect(matches(`${'a*'.repeat(2_000)}b`, { ...lag, id: 'a'.repeat(20_000) })).toBe(false)
})

test('maintenance silences all, a silence what it matches, and a trace nothing', () => {
  const trace: Order = { order: 'trace', ...stamp, key: 'flight-1' }
  const silence: Order = { order: 'silence', ...stamp, id: '3f2a', match: 'silent' }
  expect(silencedBy([trace, silence], lag)).toBeNull()
  expect(silencedBy([trace, silence], { id: 'silent/scorer-1', kind: 'silent' })).toBe('silence 3f2a')
  expect(silencedBy([silence, { order: 'maintenance', ...stamp }], lag)).toBe('maintenance')
})
