/**
 * One run: captures up to the checkpoints that the shards had at the start, finds deletes, scores, stores, and ends. The
 * services do the work as they always do; here is only when they may stop. So a run that was killed has lost nothing, the
 * next one goes on where it was, and it does no harm beside services that run on.
 */
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { judgeIndices } from '@freshet/adapters/elasticsearch/judge-indices.ts'
import { readShards, type ShardsView } from '@freshet/adapters/elasticsearch/shards.ts'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { tail } from '@freshet/adapters/kafka/read-all.ts'
import { checkTopics } from '@freshet/adapters/kafka/topics.ts'
import { RedisScoreStore } from '@freshet/adapters/redis/redis-score-store.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { scopeOf } from '@freshet/capture/scope.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import { readPointer } from '@freshet/model/bundle/model-store.ts'
import { poller } from '@freshet/poller/main.ts'
import type { CursorBook } from '@freshet/reconcile/cursor-book.ts'
import { readCursorBook } from '@freshet/reconcile/read-cursors.ts'
import { Watermark } from '@freshet/reconcile/watermark.ts'
import type { Cursor } from '@freshet/records/cursor.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import { topicName } from '@freshet/records/topics.ts'
import { runScorer, scorer } from '@freshet/scorer/main.ts'
import { FlushBell } from '@freshet/scorer/snapshot/flush-bell.ts'
import type { Service, ServiceContext } from '@freshet/service/service.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { Throttle } from '@freshet/stage/throttle.ts'
import {
  CatchUp,
  type CatchUpWorld,
  changesToRescore,
  goneIndices,
  goneToWaitFor,
  watermarkWorld,
} from './catch-up.ts'
import type { OnceSummary } from './summary.ts'
import { type Goal, goalOf, leftOf } from './targets.ts'
import { withTrouble } from './trouble.ts'

export interface OnceOptions {
  readonly deadlineMs: number
  /** Told once, whatever the end. */
  readonly onSummary: (summary: OnceSummary) => void
}

export function onceService(options: OnceOptions): Service {
  return {
    check: (context) => new Once(context, options).check(),
    run: (context) => new Once(context, options).run(),
  }
}

/** What a run cannot begin without; whether its services can begin is asked only when there is something to do. */
async function check({ settings, instance, telemetry, signal }: ServiceContext): Promise<void> {
  if (settings.elasticsearch.mode === 'timestamp')
    throw new FreshetError(
      'USAGE',
      'once knows by sequence numbers when all is captured: not with elasticsearch.mode timestamp',
    )
  const connection = connectKafka(settings.kafka, { clientId: instance, log: telemetry.log })
  await checkTopics(connection, settings.pipeline, signal)
  await using store = openS3(settings.s3)
  if ((await readPointer(store, signal)) === null)
    throw new FreshetError('MODEL_MISSING', 'no model is promoted')
}

class Once {
  readonly #context: ServiceContext
  readonly #untilMs: number
  readonly #onSummary: OnceOptions['onSummary']
  readonly #startedAtMs = systemClock.nowMs()
  readonly #notes: string[] = []
  #model: string | null = null

  constructor(context: ServiceContext, { deadlineMs, onSummary }: OnceOptions) {
    this.#context = { ...context, settings: forOneRun(context.settings) }
    this.#untilMs = this.#startedAtMs + deadlineMs
    this.#onSummary = onSummary
  }

  /** @throws what someone has to mend, after it is told */
  async check(): Promise<void> {
    try {
      await check(this.#context)
    } catch (error) {
      this.#end(error)
      throw error
    }
  }

  /** @throws DEADLINE with what is left, and what the services cannot go on with */
  async run(): Promise<void> {
    try {
      const isDone = await this.#catchUp()
      this.#tell(isDone ? 'done' : 'nothing to do', null)
    } catch (error) {
      this.#end(error)
      if (!this.#context.signal.aborted) throw error
    }
  }

  /** Whoever is stopped has not failed. */
  #end(error: unknown): void {
    const isStopped = this.#context.signal.aborted
    this.#tell(isStopped ? 'stopped' : 'failed', isStopped ? null : error)
  }

  /** @returns false when there was nothing to do */
  async #catchUp(): Promise<boolean> {
    const { settings, instance, telemetry, signal } = this.#context
    await using client = connectElasticsearch(settings.elasticsearch)
    await using store = openS3(settings.s3)
    const connection = connectKafka(settings.kafka, { clientId: `${instance}-once`, log: telemetry.log })
    const rules = rulesOf(settings)
    const pointer = await readPointer(store, signal)
    await using redis = await RedisScoreStore.open(settings.redis, {
      pipeline: settings.pipeline,
      log: telemetry.log,
    })
    const world: CatchUpWorld = {
      ...{ settings, rules, client, connection, store, clock: systemClock },
      isFilled: () => redis.mark.isFilled(),
      generation: pointer?.generation ?? 0,
    }
    if (pointer !== null) this.#model = modelLabel({ name: pointer.name, version: pointer.modelVersion })
    const view = await readShards(client, settings.elasticsearch.index, signal)
    const refused = await this.#refused(world, view)
    const goal = goalOf(view, rules, (index) => !refused.has(index))
    const book = await readCursorBook(connection, settings.pipeline, signal)
    const cursors = book.cursors()
    this.#note(view, cursors)
    const isAnythingLeft = !(await this.#isReached(world, goal, { view, cursors }))
    if (isAnythingLeft) await this.#work(world, goal, book)
    const [refusal] = refused.values()
    if (refusal !== undefined) throw refusal
    return isAnythingLeft
  }

  /** By name: capture leaves them alone, and somebody has to mend them. */
  async #refused({ client, settings }: CatchUpWorld, { indexUuids }: ShardsView) {
    const refused = new Map<string, FreshetError>()
    if (indexUuids.size === 0) return refused // the poller's check tells a name that is misspelt
    const judged = await judgeIndices(client, settings.elasticsearch, this.#context.signal)
    for (const { name, verdict, reason } of judged)
      if (verdict === 'refused' || verdict === 'blocked')
        refused.set(
          name,
          new FreshetError(verdict === 'refused' ? 'INDEX_NOT_CAPTURABLE' : 'INDEX_BLOCKED', reason ?? name),
        )
    return refused
  }

  #note(view: ShardsView, cursors: ReadonlyMap<string, Cursor>): void {
    const { goneGraceSeconds } = this.#context.settings.elasticsearch
    this.#notes.push(...view.closed.map((name) => `${name} is closed: it waits, its scores stay`))
    if (goneToWaitFor(view, cursors, this.#context.settings).length > 0) return
    for (const name of goneIndices(view, cursors))
      this.#notes.push(
        `${name} is gone: its scores are deleted by a poller that runs for elasticsearch.goneGraceSeconds (${goneGraceSeconds}); at most 60, a run waits for it`,
      )
  }

  async #isReached(
    world: CatchUpWorld,
    goal: Goal,
    { view, cursors }: { view: ShardsView; cursors: ReadonlyMap<string, Cursor> },
  ): Promise<boolean> {
    const { signal } = this.#context
    const { uncaptured, unswept, unread } = leftOf(goal, cursors, world.rules)
    const gone = goneToWaitFor(view, cursors, world.settings)
    if (view.indexUuids.size === 0 || uncaptured.length + unswept.length + unread.length + gone.length > 0)
      return false
    const mark = await Watermark.now(watermarkWorld(world), signal)
    if ((await mark.look(signal)).kind !== 'reached') return false
    return (await world.isFilled()) && (await changesToRescore(world, signal)) === 0
  }

  /** The poller ends first, so that nothing comes after the scorer has finished what it holds. */
  async #work(world: CatchUpWorld, goal: Goal, book: CursorBook): Promise<void> {
    const { context: hearing, trouble } = withTrouble(this.#context)
    const { telemetry, signal } = this.#context
    await poller.check(hearing)
    await scorer.check(hearing)
    const failed = new AbortController()
    const endCapture = new AbortController()
    const endScoring = new AbortController()
    const bell = new FlushBell()
    const until = (end: AbortController) => ({ ...hearing, signal: AbortSignal.any([signal, end.signal]) })
    const capturing = poller.run(until(endCapture))
    const scoring = runScorer(until(endScoring), { bell })
    for (const service of [capturing, scoring]) service.catch((error: unknown) => failed.abort(error))
    const lines = new Throttle(TELL_EVERY_MS, systemClock)
    try {
      await this.#hearing(book, world, AbortSignal.any([signal, failed.signal]), (working) => {
        const catchUp = new CatchUp(world, {
          ...{ goal, untilMs: this.#untilMs },
          cursors: () => book.cursors(),
          ring: () => bell.ring(),
          onNote: (note) => this.#notes.push(note),
          onWait: (left) => {
            if (lines.pass(left.replaceAll(/\d+/g, '')) !== null) telemetry.log.info(`waiting: ${left}`)
          },
        })
        return catchUp.run(working)
      })
    } catch (error) {
      throw withWhy(error, trouble())
    } finally {
      endCapture.abort()
      await Promise.allSettled([capturing])
      endScoring.abort()
      await Promise.allSettled([scoring])
    }
    await Promise.all([capturing, scoring])
  }

  /** Hears every cursor as it is written, for as long as `work` takes. */
  async #hearing(
    book: CursorBook,
    { connection, settings }: CatchUpWorld,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const end = new AbortController()
    const deaf = new AbortController()
    const following = tail(connection, topicName(settings.pipeline, 'cursors'), {
      fromTimestampMs: 0,
      onMessage: (partition, message) => book.hear(partition, message),
      signal: AbortSignal.any([signal, end.signal]),
    })
    following.catch((error: unknown) => deaf.abort(error))
    try {
      await work(AbortSignal.any([signal, deaf.signal]))
    } finally {
      end.abort()
      await following.catch(() => {})
    }
  }

  #tell(outcome: OnceSummary['outcome'], error: unknown): void {
    const { settings, telemetry } = this.#context
    const values = telemetry.metrics.values()
    const known = error === null ? null : toFreshetError(error)
    this.#onSummary({
      pipeline: settings.pipeline,
      outcome,
      error: known && { code: known.code, message: known.message },
      startedAtMs: this.#startedAtMs,
      endedAtMs: systemClock.nowMs(),
      model: this.#model,
      captured: values['freshet.poller.changes'] ?? 0,
      deletes: values['freshet.sweep.tombstones'] ?? 0,
      setAside: values['freshet.poller.dead'] ?? 0,
      scored: values['freshet.scorer.scored'] ?? 0,
      rescored: values['freshet.rescore.rows'] ?? 0,
      dead: values['freshet.scorer.dead'] ?? 0,
      cached: values['freshet.cache.rows'] ?? 0,
      refilled: values['freshet.cache.refilled'] ?? 0,
      snapshotRows: values['freshet.snapshot.rows'] ?? 0,
      notes: this.#notes,
    })
  }
}

/** What is waited for is told this often. */
const TELL_EVERY_MS = 10_000

/** All workers, whatever one process of many runs; sweeps that wait for no pause; rescoring that takes what time there is. */
function forOneRun(settings: Settings): Settings {
  const { sweep, scorer, model } = settings
  return {
    ...settings,
    model: { ...model, pointerIntervalMs: Math.min(model.pointerIntervalMs, 1_000) }, // what rescoring waits for
    sweep: { ...sweep, pauseSeconds: Math.min(sweep.pauseSeconds, 1) },
    scorer: { ...scorer, workers: ['infer', 'cache', 'snapshot'], rescoreShare: 1 },
  }
}

function rulesOf({ elasticsearch }: Settings) {
  return {
    scope: scopeOf(elasticsearch).hash,
    isKeyInDocument: elasticsearch.key.startsWith('field:'),
    isKeyOfOneIndex: elasticsearch.key === 'index/id',
  }
}

/** What was not reached in time has a cause that a service has told. */
function withWhy(error: unknown, trouble: FreshetError | undefined): unknown {
  const known = toFreshetError(error)
  if (trouble === undefined || known.code !== 'DEADLINE') return error
  return new FreshetError('DEADLINE', `${known.message}; ${trouble.code}: ${trouble.message}`, {
    cause: error,
  })
}
