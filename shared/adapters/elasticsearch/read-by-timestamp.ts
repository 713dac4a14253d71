import type { Client } from '@elastic/elasticsearch'
import { z } from 'zod'
import { inShape } from './ask.ts'
import { cutTimestampedPage, type TimestampedHit, type TimestampedPage } from './cut-timestamped-hits.ts'
import { whyTooLarge, withScope } from './read-page.ts'
import { checkWhole, parseProblem, searchBytes } from './search-bytes.ts'
import { refusal, translateElasticsearchError } from './translate.ts'

/** What is asked of an index. */
export interface TimestampedIndex {
  readonly name: string
  readonly shards: number
  /** A date; the latest counts where a document has several. */
  readonly field: string
  /** As in PageRequest of read-page.ts. */
  readonly scope?: object
  readonly source?: { readonly includes: readonly string[]; readonly excludes: readonly string[] }
}

export interface TimestampedRequest {
  /** Inclusive, in ms since 1970; -Infinity for every document that has a timestamp. */
  readonly fromMs: number
  /** The last hit of the page before. */
  readonly after: TimestampedHit | undefined
  readonly rows: number
  readonly maxBytes: number
}

/** So long a view is kept between two pages: Kafka may take its time. */
const KEEP_ALIVE = '5m'
const CLOSE_MS = 2_000

const viewSchema = z.object({ id: z.string() })

/** A view of an index at one moment, in which pages follow each other without gap or repetition, also within one timestamp. */
export class FrozenIndex implements AsyncDisposable {
  readonly #client: Client
  readonly #index: TimestampedIndex
  readonly #signal: AbortSignal
  #id: string

  /** Every write that refresh has made visible is in it. */
  static async open(client: Client, index: TimestampedIndex, signal: AbortSignal): Promise<FrozenIndex> {
    const doing = `opening a view of ${index.name}`
    try {
      // Refused unless every shard is there: the default of all versions, which 7.17 does not let one say.
      const view = await client.openPointInTime({ index: index.name, keep_alive: KEEP_ALIVE }, { signal })
      return new FrozenIndex(client, index, signal, inShape(viewSchema, view, doing).id)
    } catch (error) {
      throw translateElasticsearchError(error, doing)
    }
  }

  private constructor(client: Client, index: TimestampedIndex, signal: AbortSignal, id: string) {
    this.#client = client
    this.#index = index
    this.#signal = signal
    this.#id = id
  }

  /**
   * Documents in the order of their timestamps.
   * @throws SEARCH_PARTIAL unless every shard answered; PageTooLarge beyond `maxBytes` or what the server has memory for
   */
  async read({ fromMs, after, rows, maxBytes }: TimestampedRequest): Promise<TimestampedPage> {
    const { name, shards, field, scope, source } = this.#index
    const doing = `reading ${name} by ${field}`
    const range = Number.isFinite(fromMs)
      ? { range: { [field]: { gte: fromMs, format: 'epoch_millis' } } }
      : { exists: { field } }
    const search = {
      path: '/_search',
      querystring: { allow_partial_search_results: false, track_total_hits: false, version: true },
      body: {
        size: rows,
        pit: { id: this.#id, keep_alive: KEEP_ALIVE },
        // Milliseconds for dates of any precision and format; an index may be new and its mapping still without the field.
        sort: [
          { [field]: { order: 'asc', mode: 'max', numeric_type: 'date', unmapped_type: 'date' } },
          { _shard_doc: 'asc' },
        ],
        query: scope === undefined ? range : withScope(range, scope),
        ...(source !== undefined && { _source: source }),
        ...(after !== undefined && { search_after: after.position }),
      },
    }
    const { status, body } = await searchBytes(this.#client, search, {
      doing,
      signal: this.#signal,
      maxBytes,
    })
    if (status !== 200) {
      const refused = { status, problem: parseProblem(body), doing, signal: this.#signal }
      const tooLarge = await whyTooLarge(this.#client, { index: name, rows }, refused)
      throw tooLarge ?? refusal(status, refused.problem, doing)
    }
    const page = cutTimestampedPage(body, scope !== undefined)
    checkWhole(page, shards, doing)
    this.#id = page.pitId ?? this.#id
    return page
  }

  /** A view that cannot be closed ends by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    const signal = AbortSignal.timeout(CLOSE_MS)
    await this.#client.closePointInTime({ id: this.#id }, { signal }).catch(() => {})
  }
}
