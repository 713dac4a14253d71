import { Buffer } from 'node:buffer'
import type { Client } from '@elastic/elasticsearch'

export interface LiveDocument {
  /** `index/id`. */
  readonly key: string
  readonly source: Buffer
}

const PAGE_ROWS = 2_000

/** Every document that a search finds now, page by page. */
export async function* readLiveDocuments(client: Client, index: string): AsyncGenerator<LiveDocument[]> {
  await client.indices.refresh({ index })
  const pit = await client.openPointInTime({ index, keep_alive: '1m' })
  try {
    for (let after: unknown[] | undefined; ; ) {
      const { hits } = await client.search<Record<string, unknown>>({
        pit: { id: pit.id, keep_alive: '1m' },
        size: PAGE_ROWS,
        sort: [{ _shard_doc: 'asc' }],
        ...(after && { search_after: after as number[] }),
      })
      if (hits.hits.length === 0) return
      yield hits.hits.map((hit) => ({
        key: `${hit._index}/${hit._id}`,
        source: Buffer.from(JSON.stringify(hit._source)),
      }))
      after = hits.hits.at(-1)?.sort
    }
  } finally {
    await client.closePointInTime({ id: pit.id })
  }
}
