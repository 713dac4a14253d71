import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { type Batch, GroupConsumer, type Lease } from '@freshet/adapters/kafka/consumer.ts'
import { GatheredSends } from '@freshet/adapters/kafka/gathered-sends.ts'
import type { Producer } from '@freshet/adapters/kafka/producer.ts'
import { PromotedModel } from '@freshet/model/run/promoted-model.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { type ScoreBatch, STATE } from '@freshet/records/score-batch.ts'
import { inferNoteRecord } from '@freshet/records/scoring-note.ts'
import { groupName, topicName } from '@freshet/records/topics.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { withGrace } from '@freshet/stage/grace.ts'
import type { DeadLetters } from '../dead-letters.ts'
import { DriftWatch } from '../drift/drift-watch.ts'
import { runRescore } from '../rescore/rescore-loop.ts'
import { Turns } from '../rescore/turns.ts'
import { Shadow } from '../shadow/shadow-loop.ts'
import { runSideBySide } from '../side-by-side.ts'
import { BatchScorer } from './batch-scorer.ts'
import { cutMicroBatches } from './micro-batch.ts'
import { Stretches } from './stretches.ts'

export interface InferDeps {
  readonly connection: KafkaConnection
  readonly producer: Producer
  readonly deadLetters: DeadLetters
  /** Holds the models. */
  readonly store: ObjectStore
  readonly clock: Clock
}

/** Longer than the slowest micro-batch with all its retries; a consumer that moves less is built anew. */
const STALL_MS = 60_000
/** How long a stop waits for what is in hand, so that a Kafka that is away cannot hold it up. */
const GRACE_MS = 5_000
/** Partitions in work at once: while the model scores one, the next is decoded and the last produced. */
const CONCURRENCY = 4
/** Kafka's default limit of a message is 1 MiB, with all that is around it. */
export const MAX_SCORE_BYTES = 900_000

/**
 * Scores `.changes` into `.scores` until the signal aborts: what is fresh at once, and in its gaps, with a model that
 * was promoted since, what is scored already.
 */
export async function runInfer(context: ServiceContext, deps: InferDeps): Promise<void> {
  const { settings, telemetry, report, signal } = context
  const { store, clock } = deps
  await using models = await PromotedModel.open(
    {
      store,
      pool: {
        threads: settings.scorer.threads,
        runRows: settings.scorer.runRows,
        onReplaced: (scores) => telemetry.metrics.add('freshet.scores_replaced', scores),
      },
      intervalMs: settings.model.pointerIntervalMs,
      clock,
      log: telemetry.log,
      onModel: (label) => report.usesModel(label),
      onRefused: () => telemetry.metrics.add('freshet.models_refused'),
    },
    signal,
  )
  if (models === null) return
  const turns = new Turns(settings.scorer.rescoreShare, clock)
  const parts: InferParts = {
    models,
    turns,
    stretches: new Stretches(),
    drift: new DriftWatch({ telemetry, clock }),
    shadow: new Shadow(context, { store, turns, clock }),
  }
  const workers = new Map([
    ['infer', (stop: AbortSignal) => scoreFresh({ ...context, signal: stop }, deps, parts)],
    ['drift', (stop: AbortSignal) => parts.drift.run(stop)],
    ['shadow', (stop: AbortSignal) => parts.shadow.run(stop)],
    ['rescore', (stop: AbortSignal) => runRescore({ ...context, signal: stop }, { ...deps, ...parts })],
  ])
  await runSideBySide(workers, signal, {
    log: telemetry.log,
    clock,
    dispensable: new Set(['drift', 'shadow', 'rescore']),
    report,
  })
}

/** What fresh changes and rescoring share. */
interface InferParts {
  readonly models: PromotedModel
  readonly turns: Turns
  readonly stretches: Stretches
  readonly drift: DriftWatch
  readonly shadow: Shadow
}

/**
 * After each micro-batch of fresh changes comes its offset. So a crash anywhere scores again what was scored, which
 * ranks make harmless, and skips nothing.
 */
async function scoreFresh(context: ServiceContext, deps: InferDeps, parts: InferParts): Promise<void> {
  const { settings, telemetry, signal } = context
  using grace = withGrace(signal, GRACE_MS)
  const infer = new Infer(context, deps, parts)
  const consumer = new GroupConsumer(deps.connection, {
    groupId: groupName(settings.pipeline, 'infer'),
    topic: topicName(settings.pipeline, 'changes'),
    stallMs: STALL_MS,
    concurrency: CONCURRENCY,
    log: telemetry.log,
    clock: deps.clock,
  })
  await consumer.run((batch, lease) => {
    const giveUp = AbortSignal.any([lease.signal, grace.signal])
    return infer.scoreFetch(batch, { ...lease, signal: giveUp })
  }, signal)
}

class Infer {
  readonly #context: ServiceContext
  readonly #parts: InferParts
  readonly #scorer: BatchScorer

  constructor(context: ServiceContext, deps: InferDeps, parts: InferParts) {
    this.#context = context
    this.#parts = parts
    const groupId = groupName(context.settings.pipeline, 'infer')
    const producer = new GatheredSends(deps.producer)
    this.#scorer = new BatchScorer(context, { ...deps, producer }, { stage: 'infer', groupId })
  }

  /** One model scores the whole fetch; the next fetch takes the one of its time. */
  async scoreFetch({ messages, partition }: Batch, lease: Lease): Promise<void> {
    const { maxBatchRows: maxRows, maxBatchBytes: maxBytes } = this.#context.settings.scorer
    const { models, turns, stretches, drift, shadow } = this.#parts
    using _ = turns.fresh()
    using model = models.use()
    const note = stretches.during(partition, lease.start, model.identity.generation)
    const limits = { maxRows, maxBytes, maxScoreBytes: MAX_SCORE_BYTES, outputs: model.outputs.length }
    for (const micro of cutMicroBatches(messages, limits)) {
      lease.check()
      const scored = await this.#scorer.score(micro, partition, model, lease)
      const { batch, scores } = scored
      await lease.commit(batch.header.toOffset + 1, inferNoteRecord.encode(note))
      drift.scored(model, scores.columns)
      shadow.offer(model, scored)
      this.#count(batch, micro.length)
      await lease.heartbeat()
    }
    stretches.advance(partition, messages.at(-1)!.offset + 1)
  }

  #count({ rows }: ScoreBatch, messages: number): void {
    const { telemetry, report } = this.#context
    let scored = 0
    let deleted = 0
    for (const state of rows.states)
      if (state === STATE.scored) scored++
      else if (state === STATE.deleted) deleted++
    telemetry.metrics.add('freshet.scorer.scored', scored)
    telemetry.metrics.add('freshet.scorer.deleted', deleted)
    report.progressed('infer', messages)
  }
}
