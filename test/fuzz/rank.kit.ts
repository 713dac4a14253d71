import { encodeRank, type Rank } from '@freshet/records/revision.ts'
import { expect } from 'vitest'

/** Stores have a place for each number of it. What throws here is not what the parser throws, so it is no excuse. */
export function expectRank(rank: Rank): void {
  expect(() => encodeRank(rank)).not.toThrow()
}
