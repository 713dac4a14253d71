/**
 * One run: captures up to the checkpoints that the shards had at the start, finds deletes, scores, stores, and ends. The
 * services do the work as they always do; here is only when they may stop. So a run that was killed has lost nothing, the
 * next one goes on where it was, and it does no harm beside services that run on.
 */
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { RedisScoreStore } from '@freshet/adapters/redis/redis-score-store.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { scopeOf } from '@freshet/capture/scope.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { toFreshetError } from '@freshet/errors/errors.ts'
import { readPointer } from '@freshet/model/bundle/pointer-store.ts'
import type { CursorBook } from '@freshet/reconcile/cursor-book.ts'
import { readCursorBook } from '@freshet/reconcile/read-cursors.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import type { Service, ServiceContext } from '@freshet/service/service.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { Throttle } from '@freshet/stage/throttle.ts'
import { CatchUp, type CatchUpWorld } from './catch-up.ts'
import { check } from './check.ts'
import { lookFirst } from './first-look.ts'
import { hearingCursors } from './heard-cursors.ts'
import { forOneRun, runServices } from './run-services.ts'
import { figuresOf, type OnceSummary } from './summary.ts'
import type { Goal, Rules } from './targets.ts'

/** The check has so much time beyond the deadline, so that a short one is not over before it. */
const CHECK_GRACE_MS = 3_000
/** What is waited for is told this often. */
const TELL_EVERY_MS = 10_000

export interface OnceOptions {
  readonly deadlineMs: number
  /** Told once, whatever the end. */
  readonly onSummary: (summary: OnceSummary) => void
}

/** The time counts from here: what the check takes of it, the run does not have. */
export function onceService(options: OnceOptions): Service {
  const startedAtMs = systemClock.nowMs()
  return {
    check: (context) => new Once(context, startedAtMs, options).check(),
    run: (context) => new Once(context, startedAtMs, options).run(),
  }
}

class Once {
  readonly #context: ServiceContext
  readonly #startedAtMs: number
  readonly #untilMs: number
  readonly #onSummary: OnceOptions['onSummary']
  readonly #notes: string[] = []
  #model: string | null = null

  constructor(context: ServiceContext, startedAtMs: number, { deadlineMs, onSummary }: OnceOptions) {
    this.#context = { ...context, settings: forOneRun(context.settings) }
    this.#startedAtMs = startedAtMs
    this.#untilMs = startedAtMs + deadlineMs
    this.#onSummary = onSummary
  }

  /** @throws what someone has to mend, after it is told */
  async check(): Promise<void> {
    const late = AbortSignal.timeout(Math.max(0, this.#untilMs - systemClock.nowMs()) + CHECK_GRACE_MS)
    try {
      await check({ ...this.#context, signal: AbortSignal.any([this.#context.signal, late]) })
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

  /** @returns false when there was nothing to do */
  async #catchUp(): Promise<boolean> {
    const { settings, instance, telemetry, signal } = this.#context
    const { log } = telemetry
    const { pipeline } = settings
    await using client = connectElasticsearch(settings.elasticsearch)
    await using store = openS3(settings.s3)
    const connection = connectKafka(settings.kafka, { clientId: `${instance}-once`, log })
    const pointer = await readPointer(store, signal)
    if (pointer !== null) this.#model = modelLabel({ name: pointer.name, version: pointer.modelVersion })
    await using redis = await RedisScoreStore.open(settings.redis, { pipeline, log })
    const world: CatchUpWorld = {
      ...{ settings, rules: rulesOf(settings), client, connection, store, clock: systemClock },
      isFilled: () => redis.mark.isFilled(),
      generation: pointer?.generation ?? 0,
    }
    const book = await readCursorBook(connection, pipeline, signal)
    const onNote = (note: string) => this.#notes.push(note)
    const { goal, isAnythingLeft, refusal } = await lookFirst(world, book.cursors(), onNote, signal)
    if (isAnythingLeft) await this.#work(world, goal, book)
    if (refusal !== undefined) throw refusal
    return isAnythingLeft
  }

  #work(world: CatchUpWorld, goal: Goal, book: CursorBook): Promise<void> {
    const { settings, telemetry } = this.#context
    const { connection } = world
    const lines = new Throttle(TELL_EVERY_MS, systemClock)
    return runServices(this.#context, (signal, ring) => {
      const catchUp = new CatchUp(world, {
        ...{ goal, untilMs: this.#untilMs, ring },
        cursors: () => book.cursors(),
        onNote: (note) => this.#notes.push(note),
        onWait: (left) => {
          if (lines.pass(left.replaceAll(/\d+/g, '')) !== null) telemetry.log.info(`waiting: ${left}`)
        },
      })
      const heard = { connection, pipeline: settings.pipeline }
      return hearingCursors(book, heard, signal, (working) => catchUp.run(working))
    })
  }

  /** Whoever is stopped has not failed. */
  #end(error: unknown): void {
    const isStopped = this.#context.signal.aborted
    this.#tell(isStopped ? 'stopped' : 'failed', isStopped ? null : error)
  }

  #tell(outcome: OnceSummary['outcome'], error: unknown): void {
    const { settings, telemetry } = this.#context
    const known = error === null ? null : toFreshetError(error)
    this.#onSummary({
      pipeline: settings.pipeline,
      outcome,
      error: known && { code: known.code, message: known.message },
      startedAtMs: this.#startedAtMs,
      endedAtMs: systemClock.nowMs(),
      model: this.#model,
      ...figuresOf(telemetry.metrics),
      notes: this.#notes,
    })
  }
}

function rulesOf({ elasticsearch }: Settings): Rules {
  return {
    scope: scopeOf(elasticsearch).hash,
    isKeyInDocument: elasticsearch.key.startsWith('field:'),
    isKeyOfOneIndex: elasticsearch.key === 'index/id',
  }
}
