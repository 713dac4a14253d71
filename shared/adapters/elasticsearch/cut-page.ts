/**
 * Cuts a search response into hits without parsing the documents: each `_source` stays the bytes that Elasticsearch
 * sent, so longs above 2^53, repeated keys and escapes survive, and no time goes into objects nobody reads.
 */
import type { Buffer } from 'node:buffer'
import type { Hits } from '@freshet/records/hit.ts'
import { JsonScanner, malformed } from './json-scanner.ts'

export interface Page<Hit> {
  readonly timedOut: boolean
  readonly shards: { readonly total: number; readonly successful: number; readonly failed: number }
  readonly hits: Hits<Hit>
  /** Of the view that was searched, for the next page; undefined where none was. */
  readonly pitId: string | undefined
  /** Of the whole response. */
  readonly bytes: number
  /** What the hits' bytes are views of. */
  readonly response: Buffer
}

/**
 * @param hits   what `cutHit` has added to when this returns.
 * @param cutHit stands before a hit and ends behind it
 * @throws HIT_MALFORMED when the bytes are not a search response
 */
export function cutPage<Hit>(
  response: Buffer,
  hits: Hits<Hit>,
  cutHit: (scan: JsonScanner) => void,
): Page<Hit> {
  const scan = new JsonScanner(response)
  let timedOut: unknown
  let shards: unknown
  let hasHits = false
  let pitId: unknown
  for (let name = scan.firstName(); name !== undefined; name = scan.nextName()) {
    if (name === 'timed_out') timedOut = scan.json()
    else if (name === '_shards') shards = scan.json()
    else if (name === 'hits') hasHits = cutHits(scan, cutHit)
    else if (name === 'pit_id') pitId = scan.json()
    else scan.skip()
  }
  if (typeof timedOut !== 'boolean' || !isShardCount(shards) || !hasHits)
    throw malformed('no timed_out, _shards and hits in the response')
  return {
    timedOut,
    shards,
    hits,
    pitId: typeof pitId === 'string' ? pitId : undefined,
    bytes: response.length,
    response,
  }
}

/** @returns true */
function cutHits(scan: JsonScanner, cutHit: (scan: JsonScanner) => void): boolean {
  for (let name = scan.firstName(); name !== undefined; name = scan.nextName()) {
    if (name === 'hits') scan.array(() => cutHit(scan))
    else scan.skip()
  }
  return true
}

function isShardCount(value: unknown): value is Page<never>['shards'] {
  const { total, successful, failed } = (value ?? {}) as Record<string, unknown>
  return [total, successful, failed].every(Number.isSafeInteger)
}
