import { describe, expect, test } from 'vitest'
import type { Features } from '../features/features.ts'
import { calibrate, MAX_RUN_ROWS, ROUNDS, RUN_ROWS } from './calibrate.ts'

function rows(count: number): Features {
  return { rows: count, numbers: new Float32Array(count), texts: [] }
}

/** A model that costs so much for each call and each row of one; the clock is what it has cost. */
function world(microsOf: (callRows: number) => number) {
  let micros = 0
  const session = {
    async score(features: Features, runRows: number) {
      for (let from = 0; from < features.rows; from += runRows)
        micros += microsOf(Math.min(runRows, features.rows - from))
      return { columns: [], replaced: 0 }
    },
  }
  return { session, nowMicros: () => micros }
}

describe('rows in one call', () => {
  test.each<[string, (callRows: number) => number, number]>([
    ['a call that costs much', (callRows) => 100 + callRows, MAX_RUN_ROWS],
    ['rows that cost more the more there are', (callRows) => 5 + callRows * (1 + callRows / 1_000), 64],
    ['a model that does not care: the smallest', (callRows) => callRows, 16],
  ])('are as many as cost the least: %s', async (_, microsOf, expected) => {
    const { session, nowMicros } = world(microsOf)
    expect((await calibrate(session, rows(MAX_RUN_ROWS), nowMicros)).runRows).toBe(expected)
  })

  test.each([10, 1_000, 100_000])('are found in bounded time with %d µs a row', async (microsPerRow) => {
    const { session, nowMicros } = world((callRows) => callRows * microsPerRow)
    const { microsPerRow: found } = await calibrate(session, rows(MAX_RUN_ROWS), nowMicros)
    expect(found).toBe(microsPerRow)
    const smallestCalls = (ROUNDS + 2) * RUN_ROWS[0] * microsPerRow
    expect(nowMicros()).toBeLessThanOrEqual(Math.max(1_000_000, smallestCalls))
  })
})
