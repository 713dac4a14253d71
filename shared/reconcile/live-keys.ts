import type { Client } from '@elastic/elasticsearch'
import { readPage } from '@freshet/adapters/elasticsearch/read-page.ts'
import { indexAndId, keyCutter } from '@freshet/capture/document-key.ts'
import type { Scope } from '@freshet/capture/scope.ts'
import type { Hit, Hits } from '@freshet/records/hit.ts'
import { CollectedKeys } from './collected-keys.ts'
import { type Ask, everyPage } from './every-page.ts'
import type { Pace } from './pace.ts'

/** Where a shard is read. */
export interface PrimaryPlace {
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
  /** Takes the documents in scope without a usable key, under index and id. */
  readonly keyless?: CollectedKeys
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
  place: PrimaryPlace,
  { scope, maxTableBytes, pace, signal, keyless, onPage }: LiveOptions,
): Promise<CollectedKeys | undefined> {
  const live = new CollectedKeys()
  const keyOf = keyCutter(scope.key)
  for await (const hits of everyPage((ask) => readKeys(client, place, scope, ask, signal))) {
    for (const hit of hits) {
      if (!hit.isInScope) continue
      const key = keyOf(hit)
      if (key !== undefined) live.add(key, 0, key.length, hit.seqNo)
      else if (keyless !== undefined) addUnnamed(keyless, hit)
    }
    onPage?.(hits.length)
    if (live.bytes + (keyless?.bytes ?? 0) > maxTableBytes) return undefined
    await pace.rest(signal)
  }
  return live
}

function addUnnamed(keyless: CollectedKeys, hit: Hit): void {
  const name = indexAndId(hit)
  keyless.add(name, 0, name.length, hit.seqNo)
}

const MAX_PAGE_BYTES = 32 * 1024 * 1024

/** One page, without what the documents hold but for their keys. */
async function readKeys(
  client: Client,
  place: PrimaryPlace,
  { key, query }: Scope,
  { from, rows, isLeast }: Ask,
  signal: AbortSignal,
): Promise<Hits> {
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
