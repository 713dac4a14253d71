import { describe, expect, test } from 'vitest'
import type { KnownScore } from './known-score.ts'
import { judge } from './oracle.ts'

const expected = new Map<string, KnownScore>([
  ['scored', { delay: 12.5 }],
  ['unscorable', null],
])

describe('the conservation oracle', () => {
  test('is content when every live document has its score, or its reason', () => {
    expect(judge(expected, new Map(expected))).toEqual({ missing: [], stale: [], extra: [] })
  })

  test('names a live document of which a store knows nothing, even one that cannot be scored', () => {
    expect(judge(expected, new Map()).missing).toEqual(['scored', 'unscorable'])
  })

  test('names another score, an old score of a document that can no longer be scored, and a lost one', () => {
    const stored = new Map<string, KnownScore>([
      ['scored', { delay: 12.6 }],
      ['unscorable', { delay: 1 }],
    ])
    expect(judge(expected, stored).stale).toEqual(['scored', 'unscorable'])
    expect(judge(expected, new Map([...expected, ['scored', null]])).stale).toEqual(['scored'])
  })

  test('names a score of what is not live, but not the memory of a delete', () => {
    const stored = new Map<string, KnownScore>([...expected, ['ghost', { delay: 1 }], ['deleted', null]])
    expect(judge(expected, stored).extra).toEqual(['ghost'])
  })
})
