import type { Buffer } from 'node:buffer'
import { hash } from 'node:crypto'
import { cutPool, type PoolHit } from '@freshet/adapters/elasticsearch/cut-pool.ts'
import { type ErrorCode, type FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { Reason } from '@freshet/records/reasons.ts'
import type { Breaker, Ticket } from '@freshet/stage/breaker.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { ThrottledLog } from '@freshet/stage/throttled-log.ts'
import type { LoopWatch } from '../server/loop-watch.ts'
import { inTime, isHeldUp, whenLate } from '../server/waits.ts'
import type { LastPools } from './last-pools.ts'
import type { PoolFields } from './pool-fields.ts'
import type { PoolQuery } from './template.ts'

/** Elasticsearch as this needs it: PoolSearcher, or a test's. */
interface Searcher {
  search(index: string, body: string, signal: AbortSignal): Promise<Buffer>
}

/** Documents to rank, in Elasticsearch's order. */
export interface FoundPool {
  readonly hits: readonly PoolHit[]
  /** Which fields they have: those of `PoolFields.signature`. */
  readonly fields: string
  /** When they were asked for, wall-clock milliseconds: they were current then, or later. */
  readonly seenAtMs: number
}

/** A pool of now, whole or, with a reason, in part; the last one; or none. */
export type Found =
  | { readonly kind: 'fresh'; readonly pool: FoundPool; readonly reason?: Reason }
  | { readonly kind: 'last'; readonly pool: FoundPool; readonly reason: Reason }
  | { readonly kind: 'none'; readonly reason: Reason; readonly error: FreshetError | undefined }

/** How a search that several may wait for has ended. */
type SearchEnd =
  | { readonly kind: 'seen'; readonly pool: FoundPool; readonly isWhole: boolean }
  | { readonly kind: 'failed'; readonly reason: Reason; readonly error: FreshetError }

export interface PoolSourceParts {
  readonly searcher: Searcher
  readonly breaker: Breaker
  readonly loop: Pick<LoopWatch, 'isBehind'>
  readonly last: LastPools
  readonly clock: Clock
  readonly log: Log
  /** Documents that Freshet does not score are no candidates. */
  readonly scope?: Readonly<Record<string, unknown>> | undefined
  /** So long a caller waits at most, */
  readonly budgetMs: number
  /** and so long a search goes on all the same. */
  readonly timeoutMs: number
  readonly maxSearches: number
}

/** Finds the documents to rank: those that Elasticsearch names in time, else those that it named last. */
export class PoolSource {
  readonly #parts: PoolSourceParts
  readonly #failures: ThrottledLog
  /** One search for all who ask the same at once. */
  readonly #underWay = new Map<
    string,
    { readonly search: Promise<SearchEnd>; readonly startedAtMs: number }
  >()

  constructor(parts: PoolSourceParts) {
    this.#parts = parts
    this.#failures = new ThrottledLog(parts.log, parts.clock)
  }

  /** @param endsAtMs of `performance.now()`. A search goes on without its callers, for the next who asks. */
  async find(query: PoolQuery, fields: PoolFields, endsAtMs: number): Promise<Found> {
    const id = hash('sha256', JSON.stringify(query), 'base64')
    const search = this.#joinOrStart(id, query, fields)
    if (typeof search === 'string') return this.#lastOf(id, search)
    const ended = await inTime(search, endsAtMs)
    if (ended === undefined) return this.#lastOf(id, 'elasticsearch_late')
    if (ended.kind === 'failed') return this.#lastOf(id, ended.reason, ended.error)
    const { pool, isWhole } = ended
    if (isWhole) return { kind: 'fresh', pool }
    const last = pool.hits.length === 0 ? this.#lastOf(id, 'elasticsearch_partial') : undefined
    return last?.kind === 'last' ? last : { kind: 'fresh', pool, reason: 'elasticsearch_partial' }
  }

  /** @returns why there is no search */
  #joinOrStart(id: string, query: PoolQuery, fields: PoolFields): Promise<SearchEnd> | Reason {
    const { breaker, loop, budgetMs, maxSearches } = this.#parts
    const nowMs = performance.now()
    if (loop.isBehind(nowMs)) return 'overloaded'
    const flight = `${id}${fields.signature}`
    const known = this.#underWay.get(flight)
    if (known !== undefined) return nowMs - known.startedAtMs < budgetMs ? known.search : 'elasticsearch_late'
    if (this.#underWay.size >= maxSearches) return 'elasticsearch_overloaded'
    const ticket = breaker.admit(nowMs)
    if (ticket === 0) return 'elasticsearch_cut_off'
    const search = this.#search(id, query, fields, ticket).finally(() => this.#underWay.delete(flight))
    this.#underWay.set(flight, { search, startedAtMs: nowMs })
    return search
  }

  async #search(id: string, query: PoolQuery, fields: PoolFields, ticket: Ticket): Promise<SearchEnd> {
    const { searcher, last, timeoutMs, clock } = this.#parts
    const seenAtMs = clock.nowMs()
    const verdict = this.#judgeInTime(ticket)
    const late = new AbortController()
    const timer = whenLate(timeoutMs, () => late.abort())
    try {
      const response = await searcher.search(query.index, this.#bodyOf(query, fields), late.signal)
      const { hits, isWhole } = cutPool(response)
      verdict.succeeded()
      const seen = { fields: fields.signature, seenAtMs }
      if (isWhole) last.keep(id, { response, ...seen })
      return { kind: 'seen', pool: { hits, ...seen }, isWhole }
    } catch (error) {
      const fault = toFreshetError(error)
      if (AWAY.has(fault.code)) verdict.missed()
      else verdict.succeeded() // a server that refuses at once need not be cut off
      return this.#failed(id, fault)
    } finally {
      clearTimeout(timer)
    }
  }

  #bodyOf({ query, sort, size, terminateAfter }: PoolQuery, fields: PoolFields): string {
    const { scope, timeoutMs } = this.#parts
    return JSON.stringify({
      query: scope === undefined ? query : { bool: { must: [query], filter: [scope] } },
      ...(sort !== undefined && { sort }),
      size,
      _source: fields.source,
      track_total_hits: false,
      timeout: `${timeoutMs}ms`,
      ...(terminateAfter !== undefined && { terminate_after: terminateAfter }),
    })
  }

  /**
   * Tells the breaker once how the search went: what has not ended within the budget is a miss, whatever comes of it later.
   */
  #judgeInTime(ticket: Ticket): { succeeded(): void; missed(): void } {
    const { breaker, budgetMs } = this.#parts
    const startedAtMs = performance.now()
    let isOpen = true
    const once = (tell: (nowMs: number) => void) => {
      if (isOpen) tell(performance.now())
      isOpen = false
      clearTimeout(timer)
    }
    const missed = (nowMs: number) =>
      isHeldUp(budgetMs, nowMs - startedAtMs) ? breaker.undecided(ticket) : breaker.missed(ticket, nowMs)
    const timer = whenLate(budgetMs, () => once(missed))
    return { succeeded: () => once(() => breaker.succeeded()), missed: () => once(missed) }
  }

  #failed(id: string, error: FreshetError): SearchEnd {
    // A query that never went well is its caller's mistake, who is told so (ranker.ts makes it a 400).
    if (error.code === 'ELASTICSEARCH_REFUSED' && this.#parts.last.get(id) === undefined)
      this.#failures.info('a caller’s query was refused', error)
    else this.#failures.error('a pool could not be had', error)
    return { kind: 'failed', reason: REASON_OF[error.code] ?? 'elasticsearch_refused', error }
  }

  #lastOf(id: string, reason: Reason, error?: FreshetError): Found {
    const seen = this.#parts.last.get(id)
    if (seen === undefined) return { kind: 'none', reason, error }
    const { response, ...more } = seen
    return { kind: 'last', pool: { hits: cutPool(response).hits, ...more }, reason }
  }
}

const AWAY = new Set<ErrorCode>(['DEADLINE', 'ELASTICSEARCH_UNREACHABLE', 'SHARD_UNAVAILABLE'])

const REASON_OF: Partial<Record<ErrorCode, Reason>> = {
  DEADLINE: 'elasticsearch_late',
  ELASTICSEARCH_UNREACHABLE: 'elasticsearch_unreachable',
  SHARD_UNAVAILABLE: 'elasticsearch_unreachable',
}
