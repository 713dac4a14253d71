import type { PoolSearcher } from '@freshet/adapters/elasticsearch/search-pool.ts'
import type { RedisScoreReader } from '@freshet/adapters/redis/redis-score-reader.ts'
import type { Settings } from '@freshet/config/schema.ts'
import type { PromotedModel } from '@freshet/model/run/promoted-model.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import { Breaker } from '@freshet/stage/breaker.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import type { AppParts } from './app-parts.ts'
import { Access } from './keys/access.ts'
import { CacheRung } from './ladder/cache-rung.ts'
import { Ladder } from './ladder/ladder.ts'
import { LiveRung } from './live/live-rung.ts'
import { ModelPages } from './live/model-page.ts'
import { CacheSlices } from './many/cache-slices.ts'
import { ManyLookups } from './many/many-lookups.ts'
import type { ProcessFigures } from './metrics/process-families.ts'
import type { Family } from './metrics/prometheus-text.ts'
import { tableFamilies } from './metrics/table-families.ts'
import { openRank } from './rank/open-rank.ts'
import { RequestRecord } from './request-record.ts'
import type { Readiness } from './routes/readiness.ts'
import type { LoopWatch } from './server/loop-watch.ts'
import { loopActiveMs, WorkInHand } from './server/work-in-hand.ts'
import type { FollowedSnapshot } from './snapshot/followed-snapshot.ts'

/** So many failures in a row cut Redis off; then it is tried four times a second. */
const BREAKER = { misses: 20, restMs: 250 }

/** What is open for as long as the gateway runs; whoever opened it closes it. */
interface Opened {
  readonly store: ObjectStore
  readonly processFigures: ProcessFigures
  readonly loop: LoopWatch
  readonly cache: RedisScoreReader
  readonly snapshot: FollowedSnapshot
  readonly models: PromotedModel
  readonly searcher: PoolSearcher
}

/** Makes the figures of all workers of those of this one. */
export type FiguresOfAll = (own: () => Promise<Family[]>) => () => Promise<Family[]>

type Surroundings = Pick<ServiceContext, 'settings' | 'telemetry' | 'report'> & {
  readonly figuresOfAll?: FiguresOfAll
}

/** The gateway's wiring: what the app is built from. @throws CONFIG_INVALID when a template of rank is wrong */
export function partsOf(opened: Opened, surroundings: Surroundings): AppParts {
  const { settings, telemetry, figuresOfAll = (own) => own } = surroundings
  const { loop, snapshot, models, searcher, processFigures } = opened
  const { gateway, redis } = settings
  const breaker = new Breaker(BREAKER)
  const budget = { budgetMs: gateway.redisBudgetMs, breaker, loop }
  const cache = new CacheRung(opened.cache, budget)
  const rules = { default: gateway.default, cacheKeepsAll: redis.ttlSeconds === 0 }
  const many = new ManyLookups(new CacheSlices(opened.cache, budget), snapshot, rules)
  const useModel = () => models.current && models.use()
  const shared = { loop, log: telemetry.log, clock: systemClock }
  const record = recordOf(surroundings)
  const pages = new ModelPages(models, opened.store, shared)
  return {
    ladder: new Ladder(cache, snapshot, rules),
    many,
    live: new LiveRung(useModel, shared),
    rank: openRank(settings, {
      ...shared,
      searcher,
      useModel,
      many,
      rules,
      onPool: (found) => telemetry.metrics.add('freshet.pools', 1, found),
    }),
    access: new Access(gateway, {
      onRefused: (why) => telemetry.metrics.add('freshet.gateway.not_admitted', 1, why),
    }),
    record,
    work: new WorkInHand({
      deadlineMs: gateway.deadlineMs,
      activeMs: loopActiveMs,
      nowMs: () => performance.now(),
      onRefused: () => telemetry.metrics.add('freshet.requests.refused'),
    }),
    readiness: () => readinessOf(opened, gateway),
    model: (deadline) => pages.page(deadline),
    figures: figuresOfAll(async () => [
      ...tableFamilies(telemetry.metrics.values()),
      ...record.durations.families(),
      ...(await processFigures.families()),
    ]),
    log: telemetry.log,
    limits: {
      deadlineMs: gateway.deadlineMs,
      maxBodyBytes: gateway.maxBodyBytes,
      cacheBudgetMs: gateway.redisBudgetMs,
    },
  }
}

function recordOf({ settings, telemetry, report }: Surroundings): RequestRecord {
  return new RequestRecord(telemetry, {
    share: settings.telemetry.requestShare,
    spansPerSecond: settings.telemetry.requestSpansPerSecond,
    linesPerSecond: settings.telemetry.answerLinesPerSecond,
    random: Math.random,
    onEnded: () => report.progressed('answers', 1),
  })
}

function readinessOf({ cache, snapshot, models }: Opened, gateway: Settings['gateway']): Readiness {
  return {
    cache: cache.ready ? { ready: true } : { ready: false, reason: cache.fault?.code ?? 'connecting' },
    snapshot:
      snapshot.ready && snapshot.state !== 'off' ? { ready: true } : { ready: false, reason: snapshot.state },
    live: models.current
      ? { ready: true, model: models.current.label }
      : { ready: false, reason: models.fault?.code ?? 'loading' },
    default: gateway.default === null ? { ready: false, reason: 'not configured' } : { ready: true },
  }
}
