import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { PoolSearcher } from '@freshet/adapters/elasticsearch/search-pool.ts'
import { RedisScoreReader } from '@freshet/adapters/redis/redis-score-reader.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { PromotedModel } from '@freshet/model/run/promoted-model.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { Service, ServiceContext } from '@freshet/service/service.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { Breaker } from '@freshet/stage/breaker.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { createApp } from './app.ts'
import type { AppParts, Readiness } from './app-env.ts'
import { Access } from './keys/access.ts'
import { CacheRung } from './ladder/cache-rung.ts'
import { Ladder } from './ladder/ladder.ts'
import { LiveRung } from './live/live-rung.ts'
import { ModelPages } from './live/model-page.ts'
import { MAX_WAITING, RUN_ROWS } from './live/shared-runs.ts'
import { CacheSlices } from './many/cache-slices.ts'
import { ManyLookups } from './many/many-lookups.ts'
import { ProcessFigures } from './metrics/process-families.ts'
import type { Family } from './metrics/prometheus-text.ts'
import { tableFamilies } from './metrics/table-families.ts'
import { openRank } from './rank/open-rank.ts'
import { RequestRecord } from './request-record.ts'
import { HttpServer } from './server/http-server.ts'
import { Intake } from './server/intake.ts'
import { LoopWatch } from './server/loop-watch.ts'
import { RequestsInHand } from './server/requests-in-hand.ts'
import { FollowedSnapshot } from './snapshot/followed-snapshot.ts'
import { runWorkers } from './workers/run-workers.ts'

/** So many failures in a row cut Redis off; then it is tried four times a second. */
const BREAKER = { misses: 20, restMs: 250 }
/**
 * What waits for a thread here are runs: of single documents that share one, of the documents of one request, or of one
 * pool. One that takes two seconds is nobody’s answer any more, and its thread is replaced by the spare.
 */
const POOL = { runRows: RUN_ROWS, maxQueued: MAX_WAITING, jobDeadlineMs: 2_000, spares: 1 }

/** It begins whatever else is away, so there is nothing to look at before. */
export const gateway: Service = {
  check: async () => {},
  async run(context) {
    const { workers } = context.settings.gateway
    const count = workers === 'auto' ? availableParallelism() : workers
    await (count === 1 ? runGateway(context) : runWorkers(context, count))
  },
}

/** As one of several workers, it also does what the others need of it. */
export interface GatewayContext extends ServiceContext {
  readonly figuresOfAll?: (own: () => Promise<Family[]>) => () => Promise<Family[]>
  /** Each counts what the others let in, too: a key has one rate, wherever its requests come to. */
  readonly shareRates?: (access: Access) => Disposable
  /** Callers reach it from now on. */
  readonly onListening?: () => void
}

/**
 * Answers for scores over HTTP until the signal aborts.
 * @throws PORT_TAKEN; CONFIG_INVALID when the snapshot at s3.prefix is another pipeline's, or a template of rank is wrong
 */
export async function runGateway(context: GatewayContext): Promise<void> {
  const { settings, telemetry, signal, report } = context
  const { pipeline, gateway } = settings
  const shared = { clock: systemClock, log: telemetry.log }
  using loop = new LoopWatch()
  using processFigures = new ProcessFigures()
  await using store = openS3(settings.s3)
  await using cache = new RedisScoreReader(settings.redis, { pipeline, log: telemetry.log })
  using snapshot = new FollowedSnapshot(store, settings, {
    ...shared,
    loop,
    metrics: telemetry.metrics,
    onLook: (fault) => (fault === undefined ? report.running('snapshot') : report.failing('snapshot', fault)),
  })
  await using models = PromotedModel.follow({
    ...shared,
    store,
    pool: {
      ...POOL,
      threads: gateway.threads,
      onReplaced: (scores) => telemetry.metrics.add('freshet.scores_replaced', scores),
    },
    intervalMs: settings.model.pointerIntervalMs,
    onModel: (label) => report.usesModel(label),
    onRefused: () => telemetry.metrics.add('freshet.models_refused'),
    onTrouble: (fault) => (fault === null ? report.running('model') : report.failing('model', fault)),
  })
  using searcher = new PoolSearcher(settings.elasticsearch, {
    apiKey: gateway.rank.apiKey,
    maxSockets: gateway.rank.maxSearches,
  })
  const inHand = new RequestsInHand()
  const rungs = { loop, processFigures, store, cache, snapshot, models, searcher }
  const parts = partsOf(rungs, context)
  using _rates = context.shareRates?.(parts.access)
  const app = createApp(parts)
  await app.request('/docs') // made now, while nobody waits
  const intake = new Intake(app, {
    loop,
    inHand,
    deadlineMs: gateway.deadlineMs,
    onRefused: () => telemetry.metrics.add('freshet.requests.refused'),
  })
  let following: Promise<void>
  {
    await using server = await HttpServer.listen(intake, gateway, { log: telemetry.log, inHand })
    telemetry.log.info('the gateway listens', { [ATTRIBUTES.url]: server.url })
    context.onListening?.()
    following = snapshot.run(signal)
    await Promise.race([signal.aborted || once(signal, 'abort'), following])
  }
  await following
}

interface Rungs {
  readonly store: ObjectStore
  readonly processFigures: ProcessFigures
  readonly loop: LoopWatch
  readonly cache: RedisScoreReader
  readonly snapshot: FollowedSnapshot
  readonly models: PromotedModel
  readonly searcher: PoolSearcher
}

type Surroundings = Pick<GatewayContext, 'settings' | 'telemetry' | 'report' | 'figuresOfAll'>

function partsOf(
  rungs: Rungs,
  { settings, telemetry, report, figuresOfAll = (own) => own }: Surroundings,
): AppParts {
  const { loop, snapshot, models, searcher, processFigures } = rungs
  const { gateway, redis } = settings
  const breaker = new Breaker(BREAKER)
  const budget = { budgetMs: gateway.redisBudgetMs, breaker, loop }
  const cache = new CacheRung(rungs.cache, budget)
  const rules = { default: gateway.default, cacheKeepsAll: redis.ttlSeconds === 0 }
  const many = new ManyLookups(new CacheSlices(rungs.cache, budget), snapshot, rules)
  const useModel = () => models.current && models.use()
  const shared = { loop, log: telemetry.log, clock: systemClock }
  const record = new RequestRecord(telemetry, {
    share: settings.telemetry.requestShare,
    spansPerSecond: settings.telemetry.requestSpansPerSecond,
    random: Math.random,
    onAnswer: () => report.progressed('answers', 1),
  })
  const pages = new ModelPages(models, rungs.store)
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
    readiness: () => readinessOf(rungs, gateway),
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

function readinessOf({ cache, snapshot, models }: Rungs, gateway: Settings['gateway']): Readiness {
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
