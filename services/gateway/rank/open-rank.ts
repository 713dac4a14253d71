import { keyCutter } from '@freshet/capture/document-key.ts'
import { scopeOf } from '@freshet/capture/scope.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { Breaker } from '@freshet/stage/breaker.ts'
import { LastPools } from './last-pools.ts'
import { type PoolFields, poolFields } from './pool-fields.ts'
import { PoolSource, type PoolSourceParts } from './pool-source.ts'
import { Ranker, type RankerParts } from './ranker.ts'
import { compileTemplates, type Template } from './template.ts'

/** What the route of rank is built from. */
export interface RankParts {
  readonly ranker: Pick<Ranker, 'rank'>
  readonly templates: ReadonlyMap<string, Template>
  /** That of queries of the caller's own. */
  readonly index: string
  readonly rawWithoutKeys: boolean
}

/** So many failures in a row cut Elasticsearch off; then it is tried four times a second. */
const BREAKER = { misses: 10, restMs: 250 }

type Surroundings = Pick<RankerParts, 'useModel' | 'many' | 'rules' | 'loop' | 'clock' | 'log' | 'onPool'> &
  Pick<PoolSourceParts, 'searcher'>

/** @throws CONFIG_INVALID for a template that is not allowed */
export function openRank(settings: Settings, surroundings: Surroundings): RankParts {
  const { elasticsearch, gateway } = settings
  const { rank } = gateway
  const { searcher, clock, log, loop } = surroundings
  const templates = compileTemplates(rank, elasticsearch.index)
  const scope = scopeOf(elasticsearch)
  const pools = new PoolSource({
    searcher,
    breaker: new Breaker(BREAKER),
    loop,
    last: new LastPools({ maxPools: rank.lastPools, maxBytes: rank.lastPoolsBytes }),
    clock,
    log,
    scope: scope.query as Readonly<Record<string, unknown>> | undefined,
    budgetMs: rank.elasticsearchBudgetMs,
    timeoutMs: Math.max(rank.elasticsearchBudgetMs, rank.elasticsearchTimeoutMs),
    maxSearches: rank.maxSearches,
  })
  const ranker = new Ranker({
    ...surroundings,
    pools,
    fieldsOf: fieldsOfModels(elasticsearch),
    keyOf: keyCutter(scope.key),
    budgets: { poolMs: rank.elasticsearchBudgetMs, cacheMs: gateway.redisBudgetMs },
  })
  return {
    ranker,
    templates,
    index: elasticsearch.index,
    rawWithoutKeys: rank.rawWithoutKeys,
  }
}

/** Worked out once for each model, not for each request. */
function fieldsOfModels(elasticsearch: Settings['elasticsearch']): RankerParts['fieldsOf'] {
  const known = new WeakMap<readonly string[], PoolFields>()
  const withoutModel = poolFields([], elasticsearch)
  return (model) => {
    if (model === null) return withoutModel
    const fields = known.get(model.paths) ?? poolFields(model.paths, elasticsearch)
    known.set(model.paths, fields)
    return fields
  }
}
