import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { availableParallelism } from 'node:os'
import { PoolSearcher } from '@freshet/adapters/elasticsearch/search-pool.ts'
import { RedisScoreReader } from '@freshet/adapters/redis/redis-score-reader.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { PromotedModel } from '@freshet/model/run/promoted-model.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { LastingFault } from '@freshet/service/lasting-fault.ts'
import type { Service, ServiceContext, StageReport } from '@freshet/service/service.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { createApp, plainRoutesOf } from './app.ts'
import type { AppParts } from './app-parts.ts'
import { type FiguresOfAll, partsOf } from './app-wiring.ts'
import type { Access } from './keys/access.ts'
import { LIVE_RUNS } from './live/live-rung.ts'
import { ProcessFigures } from './metrics/process-families.ts'
import { appListener } from './server/app-listener.ts'
import { HttpServer } from './server/http-server.ts'
import { Intake } from './server/intake.ts'
import { LoopWatch } from './server/loop-watch.ts'
import type { PlainParts } from './server/plain/plain-connection.ts'
import { RequestsInHand } from './server/requests-in-hand.ts'
import { FollowedSnapshot } from './snapshot/followed-snapshot.ts'
import { runWorkers } from './workers/run-workers.ts'

/**
 * What waits for a thread here are runs: of single documents that share one, of the documents of one request, or of one
 * pool. One that takes two seconds is nobody’s answer any more, and its thread is replaced by the spare. The threads get a
 * core after the loop that answers: a model that hangs must not starve it.
 */
const POOL = {
  runRows: LIVE_RUNS.runRows,
  maxQueued: LIVE_RUNS.maxWaiting,
  jobDeadlineMs: 2_000,
  spares: 1,
  niceness: 10,
}

/** A Redis that was restarted is back by then, and one that was emptied is told only where its refill takes its time. */
const CACHE_PATIENCE_MS = 6_000
const FILLING_PATIENCE_MS = 30_000
/** Who was not run for a while finds its read too late when it wakes; the next, a moment later, says what is so. */
const S3_PATIENCE_MS = 5_000

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
  readonly figuresOfAll?: FiguresOfAll
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
  const { gateway } = settings
  using loop = new LoopWatch()
  using processFigures = new ProcessFigures()
  await using store = openS3(settings.s3)
  await using cache = openCache(context)
  using snapshot = new FollowedSnapshot(store, settings, {
    clock: systemClock,
    log: telemetry.log,
    loop,
    metrics: telemetry.metrics,
    s3: settings.s3,
    onLook: snapshotReport(report),
  })
  await using models = followModel(context, store)
  using searcher = new PoolSearcher(settings.elasticsearch, {
    apiKey: gateway.rank.apiKey,
    maxSockets: gateway.rank.maxSearches,
  })
  const opened = { loop, processFigures, store, cache, snapshot, models, searcher }
  const parts = partsOf(opened, context)
  using _rates = context.shareRates?.(parts.access)
  const inHand = new RequestsInHand()
  const { listener, plain } = await waysIn(parts, { loop, inHand })
  let following: Promise<void>
  {
    await using server = await HttpServer.listen(listener, gateway, { log: telemetry.log, inHand, plain })
    telemetry.log.info('the gateway listens', { [ATTRIBUTES.url]: server.url })
    context.onListening?.()
    following = snapshot.run(signal)
    await Promise.race([signal.aborted || once(signal, 'abort'), following])
  }
  await following
}

/** What is wrong with the snapshot itself is told at once: that is no blip. */
function snapshotReport(report: StageReport): (fault: unknown) => void {
  const lasting = new LastingFault(report, {
    worker: 'snapshot',
    patienceMsOf: ({ code }) => (code === 'S3_UNREACHABLE' ? S3_PATIENCE_MS : 0),
    clock: systemClock,
  })
  return (fault) => lasting.looked(fault)
}

function openCache({ settings, telemetry, report }: GatewayContext): RedisScoreReader {
  const lasting = new LastingFault(report, {
    worker: 'cache',
    patienceMsOf: ({ code }) => (code === 'REDIS_FILLING' ? FILLING_PATIENCE_MS : CACHE_PATIENCE_MS),
    clock: systemClock,
  })
  return new RedisScoreReader(settings.redis, {
    pipeline: settings.pipeline,
    log: telemetry.log,
    onLook: (fault) => lasting.looked(fault),
  })
}

function followModel({ settings, telemetry, report }: GatewayContext, store: ObjectStore): PromotedModel {
  return PromotedModel.follow({
    clock: systemClock,
    log: telemetry.log,
    store,
    pool: {
      ...POOL,
      threads: settings.gateway.threads,
      onReplaced: (scores) => telemetry.metrics.add('freshet.scores_replaced', scores),
    },
    intervalMs: settings.model.pointerIntervalMs,
    onModel: (label) => report.usesModel(label),
    onRefused: () => telemetry.metrics.add('freshet.models_refused'),
    onTrouble: (fault) => (fault === null ? report.running('model') : report.failing('model', fault)),
  })
}

/** How requests come to the routes: by the app, or straight where they are plain. Both pass the same intake. */
async function waysIn(
  parts: AppParts,
  { loop, inHand }: { readonly loop: LoopWatch; readonly inHand: RequestsInHand },
): Promise<{ readonly listener: RequestListener; readonly plain: PlainParts }> {
  const app = createApp(parts)
  await app.request('/docs') // made now, while nobody waits
  const intake = new Intake({
    loop,
    inHand,
    work: parts.work,
    deadlineMs: parts.limits.deadlineMs,
    onRefused: (request) => parts.record.refused(request),
  })
  return {
    listener: intake.admitting(appListener(app)),
    plain: { routes: plainRoutesOf(parts), intake },
  }
}
