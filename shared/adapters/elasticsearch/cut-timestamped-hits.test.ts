import { Buffer } from 'node:buffer'
import { compareRevisions } from '@freshet/records/revision.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cutTimestampedPage, rankOf } from './cut-timestamped-hits.ts'

const response = (hits: string) =>
  Buffer.from(
    `{"took":1,"timed_out":false,"_shards":{"total":2,"successful":2,"skipped":0,"failed":0},"hits":{"hits":[${hits}]}}`,
  )
const hit =
  '{"_index":"i","_id":"1","_version":3,"_score":null,"_source":{"n": 9223372036854775807},"matched_queries":["freshet.scope"],"sort":[1704067200123,4294967297]}'

describe('a hit found by its timestamp', () => {
  test('keeps the very bytes of its document, and knows where the next page goes on', () => {
    const { hits, shards } = cutTimestampedPage(response(hit), true)
    expect(shards).toMatchObject({ total: 2, successful: 2, failed: 0 })
    expect(hits).toMatchObject([
      { index: 'i', id: '1', version: 3, timestampMs: 1_704_067_200_123, isInScope: true },
    ])
    expect(hits[0]!.source.toString()).toBe('{"n": 9223372036854775807}')
    expect(hits[0]!.position).toEqual([1_704_067_200_123, 4_294_967_297])
  })

  test('that does not match the scope is a delete', () => {
    const outside = hit.replace('"matched_queries":["freshet.scope"],', '')
    expect(cutTimestampedPage(response(outside), true).hits[0]!.isInScope).toBe(false)
    expect(cutTimestampedPage(response(outside), false).hits[0]!.isInScope).toBe(true)
  })

  test('without what makes its revision is refused', () => {
    for (const missing of ['"_version":3,', ',"sort":[1704067200123,4294967297]'])
      expect(() => cutTimestampedPage(response(hit.replace(missing, '')), true)).toThrow(
        /_version and the timestamp/,
      )
  })
})

describe('the rank of a timestamp and a version', () => {
  const moment = fc.record({
    timestampMs: fc.oneof(fc.integer({ min: -1, max: 3 }), fc.integer({ min: 0, max: 2 ** 32 * 1_000 - 1 })),
    version: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 ** 40 - 1 })),
  })
  const revisionOf = ({ timestampMs, version }: { timestampMs: number; version: number }) => ({
    documentVersion: 0,
    epoch: 1,
    ...rankOf(timestampMs, version),
  })

  test('orders as the timestamps do, and those of one millisecond by their versions', () => {
    fc.assert(
      fc.property(moment, moment, (a, b) => {
        const expected = Math.max(0, a.timestampMs) - Math.max(0, b.timestampMs) || a.version - b.version
        expect(Math.sign(compareRevisions(revisionOf(a), revisionOf(b)))).toBe(Math.sign(expected))
      }),
    )
  })

  test('fits a revision, whatever date and version a document claims', () => {
    const any = fc.record({ timestampMs: fc.maxSafeInteger(), version: fc.integer({ min: 0, max: 2 ** 53 }) })
    fc.assert(
      fc.property(any, ({ timestampMs, version }) => {
        const { primaryTerm, seqNo } = rankOf(timestampMs, version)
        expect(primaryTerm).toBeGreaterThanOrEqual(0)
        expect(primaryTerm).toBeLessThan(2 ** 32)
        expect(Number.isSafeInteger(seqNo) && seqNo >= 0).toBe(true)
      }),
    )
  })
})
