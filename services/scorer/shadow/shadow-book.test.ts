import { expect, test } from 'vitest'
import { type Comparison, ShadowBook } from './shadow-book.ts'

const comparison: Comparison = { shadow: 'delay@2', current: 'delay@1', sinceMs: 5, instance: 'scorer-1' }

function seen(book: ShadowBook, atMs: number): ShadowBook {
  book.scored({ rows: 3, failedRows: { FIELD_MISSING: 1 }, tookMs: 2, atMs })
  book.pair(0, 10, 12)
  book.pair(0, 20, 19)
  book.skipped(7, atMs + 1)
  return book
}

test('a report says what was given, what was left out, and how far the scores are apart', () => {
  expect(seen(new ShadowBook(comparison, ['score'], () => 0.5), 100).report()).toEqual({
    version: 1,
    shadow: 'delay@2',
    current: 'delay@1',
    sinceMs: 5,
    instances: ['scorer-1'],
    fromMs: 100,
    toMs: 101,
    rows: 3,
    skippedRows: 7,
    failedRows: { FIELD_MISSING: 1 },
    scoringMs: 2,
    outputs: [
      {
        name: 'score',
        pairs: 2,
        sumCurrent: 30,
        sumShadow: 31,
        sumAbsoluteDifference: 3,
        sample: [
          [0.5, 10, 12],
          [0.5, 20, 19],
        ],
      },
    ],
  })
})

test('where nothing was seen there is no report', () => {
  expect(new ShadowBook(comparison, ['score'], () => 0.5).report()).toBeNull()
})
