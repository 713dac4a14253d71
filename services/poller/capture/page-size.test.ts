import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { afterPage, afterTooLarge, nextPage, type PageSize, UNKNOWN_SIZE } from './page-size.ts'

const limits = { pageRows: 2_000, maxPageRows: 10_000, maxPageBytes: 16_000_000 }

/** Reads pages of documents that all weigh the same. @returns the rows of each page, those given up negative */
function read(
  pages: number,
  rowBytes: number,
  size: PageSize = UNKNOWN_SIZE,
): { rows: number[]; size: PageSize } {
  const asked: number[] = []
  while (pages > 0) {
    const { rows, maxBytes } = nextPage(size, 1, limits)
    const isTooLarge = rows * rowBytes > maxBytes
    asked.push(isTooLarge ? -rows : rows)
    size = isTooLarge
      ? afterTooLarge(size, { rows }, limits)
      : afterPage(size, { rows, bytes: rows * rowBytes })
    if (!isTooLarge) pages--
  }
  return { rows: asked, size }
}

describe('a page', () => {
  test('of light documents has as many rows as the settings say, besides those it repeats', () => {
    expect(read(3, 340).rows).toEqual([2_001, 2_001, 2_001])
  })

  test('that was too large is asked for again with a quarter, and never with less than one new row', () => {
    expect(read(2, 10_000_000).rows).toEqual([-2_001, -501, -126, -32, -9, -3, 2, 2])
  })

  test('has more rows again when documents are lighter, at most twice as many each time', () => {
    const { size } = read(1, 10_000_000)
    expect(read(13, 340, size).rows).toEqual([2, 2, 4, 7, 13, 26, 52, 103, 205, 410, 820, 1_639, 2_001])
  })

  test('has as many rows as the index allows once it has said so, and as many as one more than it repeats', () => {
    const size = afterTooLarge(UNKNOWN_SIZE, { rows: 2_000, maxRows: 100 }, limits)
    expect(nextPage(size, 0, limits).rows).toBe(100)
    expect(nextPage(size, 1, limits).rows).toBe(100)
    expect(nextPage(size, 200, limits).rows).toBe(201)
    expect(nextPage(UNKNOWN_SIZE, 1, { ...limits, pageRows: 10_000 }).rows).toBe(10_000)
  })

  test('is found for documents of any weight: not for ever too large, and mostly within its bytes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200_000_000 }), (rowBytes) => {
        const { rows } = read(20, rowBytes)
        expect(rows.filter((count) => count < 0).length).toBeLessThanOrEqual(7)
        for (const count of rows)
          if (count > 2) expect(count * rowBytes).toBeLessThanOrEqual(limits.maxPageBytes)
      }),
    )
  })
})
