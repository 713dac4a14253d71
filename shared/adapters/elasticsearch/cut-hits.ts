/** Cuts the hits of a search by sequence number, for whom cut-page.ts cuts the rest. */
import { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { Hit } from '@freshet/records/hit.ts'
import { cutPage, type Page } from './cut-page.ts'
import { type JsonScanner, malformed } from './json-scanner.ts'

export type SearchPage = Page<Hit>

/** The name of the query that tells which hits are in scope. */
export const SCOPE_QUERY = 'freshet.scope'

export interface Asked {
  /** Whether the search has a query named `SCOPE_QUERY`; without it every hit is in scope. */
  readonly scope: boolean
  readonly source: boolean
}

/**
 * @throws HIT_MALFORMED when the bytes are not a search response; INDEX_NOT_CAPTURABLE without sequence numbers or
 *   without the `_source` that was asked for
 */
export function cutSearchPage(response: Buffer, asked: Asked): SearchPage {
  return cutPage(response, (scan) => cutHit(scan, asked))
}

function cutHit(scan: JsonScanner, asked: Asked): Hit {
  let index: unknown
  let id: unknown
  let seqNo: unknown
  let primaryTerm: unknown
  let source: Buffer | undefined
  let isInScope = !asked.scope
  for (let name = scan.firstName(); name !== undefined; name = scan.nextName()) {
    if (name === '_index') index = scan.word()
    else if (name === '_id') id = scan.json()
    else if (name === '_seq_no') seqNo = scan.json()
    else if (name === '_primary_term') primaryTerm = scan.json()
    else if (name === '_source') source = scan.bytes()
    else if (name === 'matched_queries')
      isInScope = (scan.json() as unknown[]).includes(SCOPE_QUERY) || isInScope
    else scan.skip()
  }
  if (typeof index !== 'string' || typeof id !== 'string') throw malformed('a hit without _index and _id')
  if (!Number.isSafeInteger(seqNo) || !Number.isSafeInteger(primaryTerm) || (seqNo as number) < 0)
    throw new FreshetError('INDEX_NOT_CAPTURABLE', `${index} answers without sequence numbers`)
  if (source === undefined && asked.source)
    throw new FreshetError('INDEX_NOT_CAPTURABLE', `${index} answers without _source`)
  return {
    index,
    id,
    seqNo: seqNo as number,
    primaryTerm: primaryTerm as number,
    source: source ?? NOTHING,
    isInScope,
  }
}

const NOTHING = Buffer.alloc(0)
