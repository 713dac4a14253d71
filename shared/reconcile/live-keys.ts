import type { Client } from '@elastic/elasticsearch'
import { type PageRequest, PageTooLarge, readPage } from '@freshet/adapters/elasticsearch/read-page.ts'
import { keyCutter } from '@freshet/capture/document-key.ts'
import type { Scope } from '@freshet/capture/scope.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { Hit } from '@freshet/records/hit.ts'
import { LiveKeys } from './live-table.ts'
import type { Pace } from './pace.ts'

export interface LiveShard {
  readonly index: string
  readonly shard: number
  /** Node of the primary. */
  readonly node: string
}

export interface LiveOptions {
  readonly scope: Scope
  /** Given up beyond this. */
  readonly maxTableBytes: number
  readonly pace: Pace
  readonly signal: AbortSignal
  /** Told after each page. */
  readonly onPage?: (documents: number) => void
}

/**
 * The keys of all documents in scope that one primary shows to searches, with their sequence numbers.
 * @returns undefined when they need more than `maxTableBytes`
 * @throws as readPage does
 */
export async function readLiveKeys(
  client: Client,
  place: LiveShard,
  { scope, maxTableBytes, pace, signal, onPage }: LiveOptions,
): Promise<LiveKeys | undefined> {
  const live = new LiveKeys()
  const keyOf = keyCutter(scope.key)
  for await (const hits of livePages(client, place, scope, signal)) {
    for (const hit of hits) {
      const key = hit.isInScope ? keyOf(hit) : undefined
      if (key !== undefined) live.add(key, 0, key.length, hit.seqNo)
    }
    onPage?.(hits.length)
    if (live.bytes > maxTableBytes) return undefined
    await pace.rest(signal)
  }
  return live
}

/**
 * Every document of the shard, without its fields, by rising sequence numbers; some come twice. A document that is
 * written meanwhile moves on to a later page, so one that lives from the first page to the last is never left out.
 */
async function* livePages(
  client: Client,
  place: LiveShard,
  scope: Scope,
  signal: AbortSignal,
): AsyncGenerator<readonly Hit[]> {
  const request = requestOf(place, scope)
  let from = { seqNo: -1, inclusive: false }
  let rows = MAX_ROWS
  let maxRows = MAX_ROWS
  for (;;) {
    try {
      const { hits } = await readPage(client, { ...request, from, rows }, signal)
      yield hits
      if (hits.length < rows) return
      const { seqNo } = hits.at(-1)!
      // Numbers repeat in a shrunk index: a page begins with the number that the last one ended with.
      if (seqNo === from.seqNo && rows === maxRows)
        throw new FreshetError(
          'SEARCH_PARTIAL',
          `${place.index}/${place.shard}: a page of one sequence number`,
        )
      if (seqNo === from.seqNo) rows = Math.min(maxRows, rows * 2)
      from = { seqNo, inclusive: true }
    } catch (error) {
      if (!(error instanceof PageTooLarge) || rows === 1) throw error
      maxRows = error.maxRows ?? maxRows
      rows = error.maxRows ?? rows >>> 1
    }
  }
}

/** What an index allows unless it says otherwise. */
const MAX_ROWS = 10_000
const MAX_PAGE_BYTES = 32 * 1024 * 1024

function requestOf(place: LiveShard, { key, query }: Scope): Omit<PageRequest, 'from' | 'rows'> {
  return {
    ...place,
    toSeqNo: Number.MAX_SAFE_INTEGER,
    maxBytes: MAX_PAGE_BYTES,
    source: typeof key === 'string' ? false : { includes: [key.field], excludes: [] },
    ...(query !== undefined && { scope: query }),
  }
}
