import type { Client } from '@elastic/elasticsearch'
import { readPage } from '@freshet/adapters/elasticsearch/read-page.ts'
import { keyCutter } from '@freshet/capture/document-key.ts'
import type { Scope } from '@freshet/capture/scope.ts'
import type { Hit } from '@freshet/records/hit.ts'
import { LiveKeys } from './collected-keys.ts'
import { type Ask, everyPage } from './every-page.ts'
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
 * @throws as readPage and everyPage do
 */
export async function readLiveKeys(
  client: Client,
  place: LiveShard,
  { scope, maxTableBytes, pace, signal, onPage }: LiveOptions,
): Promise<LiveKeys | undefined> {
  const live = new LiveKeys()
  const keyOf = keyCutter(scope.key)
  for await (const hits of everyPage((ask) => readKeys(client, place, scope, ask, signal))) {
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

const MAX_PAGE_BYTES = 32 * 1024 * 1024

/** One page, without what the documents hold but for their keys. */
async function readKeys(
  client: Client,
  place: LiveShard,
  { key, query }: Scope,
  { from, rows, isLeast }: Ask,
  signal: AbortSignal,
): Promise<readonly Hit[]> {
  const request = {
    ...place,
    from,
    rows,
    toSeqNo: Number.MAX_SAFE_INTEGER,
    source: typeof key === 'string' ? (false as const) : { includes: [key.field], excludes: [] },
    ...(!isLeast && { maxBytes: MAX_PAGE_BYTES }),
    ...(query !== undefined && { scope: query }),
  }
  return (await readPage(client, request, signal)).hits
}
