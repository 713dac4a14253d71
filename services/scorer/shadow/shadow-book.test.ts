import { expect, test } from 'vitest'
import { type Comparison, ShadowBook } from './shadow-book.ts'

const comparison: Comparison = { shadow: 'delay@2', current: 'delay@1', sinceMs: 5, instance: 'scorer-1' }
const parts = (before: ReturnType<ShadowBook['report']> = null) => ({ before, random: () => 0.5 })

function seen(book: ShadowBook, atMs: number): ShadowBook {
  book.scored({ rows: 3, failedRows: { FIELD_MISSING: 1 }, tookMs: 2, atMs })
  book.pair(0, 10, 12)
  book.pair(0, 20, 19)
  book.skipped(7, atMs + 1)
  return book
}

test('a report says what was given, what was left out, and how far the scores are apart', () => {
  expect(seen(new ShadowBook(comparison, ['score'], parts()), 100).report()).toEqual({
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

test('a process of the same name goes on with the report of the one before, unless it was another comparison', () => {
  const before = seen(new ShadowBook(comparison, ['score'], parts()), 100).report()
  const goesOn = new ShadowBook(comparison, ['score'], parts(before))
  expect(goesOn.report()).toEqual(before)
  expect(seen(goesOn, 200).report()).toMatchObject({
    fromMs: 100,
    toMs: 201,
    rows: 6,
    instances: ['scorer-1'],
  })
  const other = new ShadowBook({ ...comparison, current: 'delay@3' }, ['score'], parts(before))
  expect(other.report()).toBeNull()
})
