import { Buffer } from 'node:buffer'
import type { Client } from '@elastic/elasticsearch'
import { translateElasticsearchError } from '@freshet/adapters/elasticsearch/translate.ts'
import { scopeOf } from '@freshet/capture/scope.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'

/** The server hands out no more in one answer, unless it is told otherwise. */
export const MAX_SAMPLE = 10_000
/** Documents may be large: their bytes lie in memory page by page. */
const PAGE_ROWS = 100

export interface SampleOptions {
  /** Documents, at most MAX_SAMPLE; fewer come where there are fewer. */
  readonly count: number
  /** The same seed draws the same documents, as long as nothing is written. */
  readonly seed: number
  readonly signal: AbortSignal
}

/**
 * Documents that the pipeline would score, drawn at random from all of its indices, each with the fields that would
 * travel. One deleted meanwhile is left out.
 * @returns the UTF-8 JSON of each, a page at a time; numbers beyond 2^53 have lost their last digits
 * @throws INDEX_MISSING, INDEX_NOT_CAPTURABLE without `_source`, ELASTICSEARCH_UNREACHABLE and the like
 */
export async function* sampleDocuments(
  client: Client,
  settings: Settings['elasticsearch'],
  { count, seed, signal }: SampleOptions,
): AsyncGenerator<Buffer[]> {
  const drawn = await draw(client, settings, { count, seed, signal })
  for (let from = 0; from < drawn.length; from += PAGE_ROWS)
    yield await fetchDocuments(client, settings, drawn.slice(from, from + PAGE_ROWS), signal)
}

interface Name {
  readonly _index: string
  readonly _id: string
  readonly routing?: string
}

async function draw(
  client: Client,
  settings: Settings['elasticsearch'],
  { count, seed, signal }: SampleOptions,
): Promise<Name[]> {
  const { query = { match_all: {} } } = scopeOf(settings)
  // Without sequence numbers chance is the server's own, and another each time.
  const random_score: { seed?: number; field?: string } =
    settings.mode === 'seqNo' ? { seed, field: '_seq_no' } : {}
  try {
    const { hits } = await client.search(
      {
        index: settings.index,
        size: count,
        _source: false,
        track_total_hits: false,
        allow_partial_search_results: false,
        query: {
          function_score: {
            query: { bool: { filter: [query] } },
            functions: [{ random_score }],
            boost_mode: 'replace',
          },
        },
      },
      { signal },
    )
    return hits.hits.map(({ _index, _id, _routing }) => ({
      _index,
      _id: _id!,
      ...(_routing !== undefined && { routing: _routing }),
    }))
  } catch (error) {
    throw translateElasticsearchError(error, `drawing documents of ${settings.index}`)
  }
}

async function fetchDocuments(
  client: Client,
  settings: Settings['elasticsearch'],
  names: readonly Name[],
  signal: AbortSignal,
): Promise<Buffer[]> {
  const { sourceFilter } = scopeOf(settings)
  const source = sourceFilter && {
    includes: [...sourceFilter.includes],
    excludes: [...sourceFilter.excludes],
  }
  try {
    const { docs } = await client.mget<unknown>(
      { docs: names.map((name) => ({ ...name, ...(source && { _source: source }) })) },
      { signal },
    )
    return docs.flatMap((doc) => {
      if (!('found' in doc) || !doc.found) return []
      if (doc._source === undefined)
        throw new FreshetError('INDEX_NOT_CAPTURABLE', `${doc._index} answers without _source`)
      return [Buffer.from(JSON.stringify(doc._source))]
    })
  } catch (error) {
    throw translateElasticsearchError(error, `reading documents of ${settings.index}`)
  }
}
