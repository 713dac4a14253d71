import type { Buffer } from 'node:buffer'
import type { KeyCutter } from '@freshet/capture/document-key.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { ThrottledLog } from '@freshet/stage/throttled-log.ts'
import type { LadderRules, Outcome } from '../ladder/stored-score-to-answer.ts'
import type { ManyLookups } from '../many/many-lookups.ts'
import { type Deadline, RESERVE_MS } from '../server/deadline.ts'
import type { LoopWatch } from '../server/loop-watch.ts'
import type { PoolFields } from './pool-fields.ts'
import { type PoolScores, type RankModel, scorePool } from './pool-scores.ts'
import type { Found, FoundPool, PoolSource } from './pool-source.ts'
import { type Ranking, rankingOf } from './ranking.ts'
import type { PoolQuery } from './template.ts'

/** What a caller wants of a pool. */
export interface Wanted {
  readonly query: PoolQuery
  /** How many of the best. */
  readonly top: number
  /** Name of the output that decides; left out: the first. */
  readonly by?: string | undefined
  readonly order: 'desc' | 'asc'
}

export interface RankerParts {
  readonly pools: Pick<PoolSource, 'find'>
  /** The model of now, to be disposed of; null while there is none. */
  readonly useModel: () => RankModel | null
  readonly fieldsOf: (model: Pick<RankModel, 'paths'> | null) => PoolFields
  readonly keyOf: KeyCutter
  readonly many: Pick<ManyLookups, 'lookUp'>
  readonly rules: LadderRules
  readonly loop: Pick<LoopWatch, 'isBehind'>
  readonly clock: Clock
  readonly log: Log
  /** Told of each pool that was looked for. */
  readonly onPool: (found: Found['kind']) => void
  readonly budgets: { readonly poolMs: number; readonly cacheMs: number }
}

/** Of a short deadline, what the search may take of the time that the fallback leaves. */
const SEARCH_SHARE = 0.65

/**
 * Ranks a pool of documents within a deadline. Elasticsearch names them, and the model scores them; what either cannot do
 * in time the last pool and the stored scores make good, and the answer says so.
 */
export class Ranker {
  readonly #parts: RankerParts
  readonly #failures: ThrottledLog

  constructor(parts: RankerParts) {
    this.#parts = parts
    this.#failures = new ThrottledLog(parts.log, parts.clock)
  }

  /**
   * @throws POOL_UNKNOWN without a pool to rank; REQUEST_INVALID for a query that Elasticsearch refuses, or an output that
   *   the model does not have
   */
  async rank(wanted: Wanted, deadline: Deadline): Promise<Ranking> {
    using model = this.#parts.useModel()
    const { by } = wanted
    if (model !== null && by !== undefined && !model.outputs.includes(by))
      throw new FreshetError(
        'REQUEST_INVALID',
        `by: ${model.label} has no such output, but ${model.outputs.join(', ')}`,
      )
    const fields = this.#parts.fieldsOf(model)
    const split = this.#split(deadline)
    const found = await this.#parts.pools.find(wanted.query, fields, split.poolEndsAtMs)
    this.#parts.onPool(found.kind)
    if (found.kind === 'none') throw noPool(found)
    const candidates = this.#candidatesOf(found.pool)
    // The last pool may have been read for another model, and lack what this one wants.
    const live =
      model !== null && found.pool.fields === fields.signature
        ? this.#score(model, candidates.sources, split.liveEndsAtMs)
        : Promise.resolve<PoolScores>({ kind: 'unable', reason: 'model_missing' })
    // Stored scores may know of later documents than the last pool.
    const early = found.kind === 'last' ? this.#lookUp(candidates.keys, deadline) : undefined
    const scores = await live
    const stored = await (early ??
      (scores.kind === 'unable' ? this.#lookUp(candidates.keys, deadline) : undefined))
    return rankingOf({ ...candidates, found, scores, stored }, wanted, {
      rules: this.#parts.rules,
      firstOutput: model?.outputs[0],
      nowMs: this.#parts.clock.nowMs(),
    })
  }

  /** The search gets its budget, inference what is left but for a look into the stores. */
  #split({ endsAtMs }: Deadline): { poolEndsAtMs: number; liveEndsAtMs: number } {
    const { poolMs, cacheMs } = this.#parts.budgets
    const nowMs = performance.now()
    const leftMs = Math.max(0, endsAtMs - RESERVE_MS - nowMs)
    const liveMs = leftMs - Math.min(cacheMs, leftMs / 4)
    return { poolEndsAtMs: nowMs + Math.min(poolMs, liveMs * SEARCH_SHARE), liveEndsAtMs: nowMs + liveMs }
  }

  /** Each key once; a document without one is none that Freshet scores. */
  #candidatesOf({ hits }: FoundPool): Candidates {
    const keys: string[] = []
    const sources: Buffer[] = []
    const known = new Set<string>()
    let keyless = 0
    for (const hit of hits) {
      const key = this.#parts.keyOf(hit)?.toString()
      if (key === undefined) keyless++
      else if (!known.has(key)) {
        known.add(key)
        keys.push(key)
        sources.push(hit.source)
      }
    }
    return { keys, sources, keyless }
  }

  async #score(model: RankModel, sources: readonly Buffer[], endsAtMs: number): Promise<PoolScores> {
    const scores = await scorePool(model, sources, endsAtMs, this.#parts.loop)
    if (scores.kind === 'unable' && scores.reason === 'live_failed')
      this.#failures.error('a pool could not be scored live', scores.error)
    return scores
  }

  async #lookUp(keys: readonly string[], deadline: Deadline): Promise<readonly Outcome[]> {
    const outcomes = new Array<Outcome>(keys.length)
    await this.#parts.many.lookUp(keys, deadline, (outcome, at) => {
      outcomes[at] = outcome
    })
    return outcomes
  }
}

/** What may be ranked, in Elasticsearch's order. */
interface Candidates {
  readonly keys: readonly string[]
  readonly sources: readonly Buffer[]
  /** Documents without a key. */
  readonly keyless: number
}

/** That nothing is known is another thing than that nothing is there: only the latter is an empty ranking. */
function noPool({ reason, error }: Found & { kind: 'none' }): FreshetError {
  if (error?.code === 'ELASTICSEARCH_REFUSED')
    return new FreshetError('REQUEST_INVALID', 'Elasticsearch refuses the query with these values', {
      cause: error,
    })
  return new FreshetError('POOL_UNKNOWN', `no pool for this query, neither now nor from before: ${reason}`)
}
