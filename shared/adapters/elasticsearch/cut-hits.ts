/** Cuts the hits of a search by sequence number, for whom cut-page.ts cuts the rest. */
import type { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { Hit } from '@freshet/records/hit.ts'
import { cutPage, type Page } from './cut-page.ts'
import { type HitPlaces, HitShape } from './hit-shape.ts'
import { type JsonScanner, malformed } from './json-scanner.ts'
import { type CutHit, SearchHits } from './search-hits.ts'

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
  let shape: HitShape | undefined
  return cutPage(response, hits, (scan) => {
    const from = scan.start()
    let hit = shape?.cut(scan)
    if (hit === undefined) {
      scan.goTo(from)
      const read = readHit(scan, asked)
      hit = read.hit
      shape = hit.isIdPlain ? HitShape.of(response, hit, { ...read.places, from, to: scan.at }) : undefined
    }
    hits.add(hit)
  })
}

/** Name by name. */
function readHit(scan: JsonScanner, asked: Asked): { hit: CutHit; places: Omit<HitPlaces, 'from' | 'to'> } {
  let index: string | undefined
  let seqNo: unknown
  let primaryTerm: unknown
  let isInScope = !asked.scope
  let id: (Place & { readonly isPlain: boolean }) | undefined
  let source = NOWHERE
  let seqNoAt = NOWHERE
  let sort = NOWHERE
  for (let name = scan.firstName(); name !== undefined; name = scan.nextName()) {
    const from = scan.start()
    if (name === '_index') index = scan.word()
    else if (name === '_id') id = readId(scan, from)
    else if (name === '_seq_no') {
      seqNo = scan.json()
      seqNoAt = { from, to: scan.at }
    } else if (name === '_primary_term') primaryTerm = scan.json()
    else if (name === '_source') source = placeOf(scan)
    else if (name === 'sort') {
      const { to } = placeOf(scan)
      sort = { from: from + 1, to: to - 1 }
    } else if (name === 'matched_queries') isInScope = scan.texts().includes(SCOPE_QUERY) || isInScope
    else scan.skip()
  }
  if (index === undefined || id === undefined) throw malformed('a hit without _index and _id')
  if (!isWholeBelow(seqNo, 2 ** 53) || !isWholeBelow(primaryTerm, 2 ** 32))
    throw new FreshetError('INDEX_NOT_CAPTURABLE', `${index} answers without sequence numbers`)
  if (source === NOWHERE && asked.source)
    throw new FreshetError('INDEX_NOT_CAPTURABLE', `${index} answers without _source`)
  const hit = {
    index,
    idFrom: id.from,
    idTo: id.to,
    isIdPlain: id.isPlain,
    sourceFrom: source.from,
    sourceTo: source.to,
    seqNo,
    primaryTerm,
    isInScope,
  }
  return {
    hit,
    places: { seqNoFrom: seqNoAt.from, seqNoTo: seqNoAt.to, sortFrom: sort.from, sortTo: sort.to },
  }
}

/** What has escapes is decoded when it is asked for: that it can be is seen here, where a page may still be refused. */
function readId(scan: JsonScanner, from: number): Place & { readonly isPlain: boolean } {
  const isPlain = scan.skipText()
  if (!isPlain) {
    scan.goTo(from)
    scan.json()
  }
  return { isPlain, from: from + 1, to: scan.at - 1 }
}

function isWholeBelow(value: unknown, limit: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < limit
}

interface Place {
  readonly from: number
  readonly to: number
}

const NOWHERE: Place = { from: 0, to: 0 }

/** Steps over the value. */
function placeOf(scan: JsonScanner): Place {
  const from = scan.start()
  scan.skip()
  return { from, to: scan.at }
}
