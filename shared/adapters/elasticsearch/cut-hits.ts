/** Cuts the hits of a search by sequence number, for whom cut-page.ts cuts the rest. */
import type { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { Hit } from '@freshet/records/hit.ts'
import { cutPage, type Page } from './cut-page.ts'
import { type JsonScanner, malformed } from './json-scanner.ts'
import { SearchHits } from './search-hits.ts'

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
  const hits = new SearchHits(response)
  return cutPage(response, hits, (scan) => cutHit(scan, asked, hits))
}

function cutHit(scan: JsonScanner, asked: Asked, hits: SearchHits): void {
  let index: string | undefined
  let idFrom = 0
  let idTo = 0
  let isIdPlain = true
  let seqNo: unknown
  let primaryTerm: unknown
  let sourceFrom = 0
  let sourceTo = 0
  let isInScope = !asked.scope
  for (let name = scan.firstName(); name !== undefined; name = scan.nextName()) {
    if (name === '_index') index = scan.word()
    else if (name === '_id') {
      idFrom = scan.start() + 1
      isIdPlain = scan.skipText()
      idTo = scan.at - 1
    } else if (name === '_seq_no') seqNo = scan.json()
    else if (name === '_primary_term') primaryTerm = scan.json()
    else if (name === '_source') {
      sourceFrom = scan.start()
      scan.skip()
      sourceTo = scan.at
    } else if (name === 'matched_queries')
      isInScope = (scan.json() as unknown[]).includes(SCOPE_QUERY) || isInScope
    else scan.skip()
  }
  if (index === undefined || idTo === 0) throw malformed('a hit without _index and _id')
  if (!Number.isSafeInteger(seqNo) || !Number.isSafeInteger(primaryTerm) || (seqNo as number) < 0)
    throw new FreshetError('INDEX_NOT_CAPTURABLE', `${index} answers without sequence numbers`)
  if (sourceTo === 0 && asked.source)
    throw new FreshetError('INDEX_NOT_CAPTURABLE', `${index} answers without _source`)
  hits.add({
    index,
    idFrom,
    idTo,
    isIdPlain,
    sourceFrom,
    sourceTo,
    seqNo: seqNo as number,
    primaryTerm: primaryTerm as number,
    isInScope,
  })
}
