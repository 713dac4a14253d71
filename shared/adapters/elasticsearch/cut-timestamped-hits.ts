import type { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { Hit } from '@freshet/records/hit.ts'
import { SCOPE_QUERY } from './cut-hits.ts'
import { cutPage, type Page } from './cut-page.ts'
import { type JsonScanner, malformed } from './json-scanner.ts'

/** A document found by its timestamp. Its sequence number and term are made of timestamp and version: see rankOf. */
export interface TimestampedHit extends Hit {
  readonly timestampMs: number
  /** Elasticsearch's `_version`. */
  readonly version: number
  /** Where the next page goes on. */
  readonly position: readonly unknown[]
}

export type TimestampedPage = Page<TimestampedHit> & { readonly hits: readonly TimestampedHit[] }

/**
 * @param hasScope whether the search has a query named `SCOPE_QUERY`; without it every hit is in scope
 * @throws HIT_MALFORMED, INDEX_NOT_CAPTURABLE without `_source`
 */
export function cutTimestampedPage(response: Buffer, hasScope: boolean): TimestampedPage {
  const hits: TimestampedHit[] = []
  return { ...cutPage(response, hits, (scan) => hits.push(cutTimestampedHit(scan, hasScope))), hits }
}

function cutTimestampedHit(scan: JsonScanner, hasScope: boolean): TimestampedHit {
  let index: unknown
  let id: unknown
  let version: unknown
  let position: unknown
  let source: Buffer | undefined
  let isInScope = !hasScope
  for (let name = scan.firstName(); name !== undefined; name = scan.nextName()) {
    if (name === '_index') index = scan.word()
    else if (name === '_id') id = scan.json()
    else if (name === '_version') version = scan.json()
    else if (name === '_source') source = scan.bytes()
    else if (name === 'sort') position = scan.json()
    else if (name === 'matched_queries') isInScope = scan.texts().includes(SCOPE_QUERY) || isInScope
    else scan.skip()
  }
  if (typeof index !== 'string' || typeof id !== 'string') throw malformed('a hit without _index and _id')
  if (!isWhole(version) || version < 0 || !Array.isArray(position) || !isWhole(position[0]))
    throw malformed('a hit without _version and the timestamp that it is sorted by')
  if (source === undefined) throw new FreshetError('INDEX_NOT_CAPTURABLE', `${index} answers without _source`)
  const timestampMs = position[0]
  return { index, id, source, isInScope, timestampMs, version, position, ...rankOf(timestampMs, version) }
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value)
}

const VERSIONS = 2 ** 40

/**
 * The newest timestamp wins, and of two changes with one timestamp the higher version: the term holds the seconds (up to
 * the year 2106), the number the rest. What is dated before 1970 counts as of then.
 */
export function rankOf(timestampMs: number, version: number): Pick<Hit, 'primaryTerm' | 'seqNo'> {
  const ms = Math.max(0, timestampMs)
  const primaryTerm = Math.min(Math.floor(ms / 1_000), 2 ** 32 - 1)
  return { primaryTerm, seqNo: (ms % 1_000) * VERSIONS + Math.min(version, VERSIONS - 1) }
}
