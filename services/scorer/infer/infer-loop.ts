import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { type Batch, GroupConsumer, type Lease } from '@freshet/adapters/kafka/consumer.ts'
import type { Producer } from '@freshet/adapters/kafka/producer.ts'
import type { LoadedModel } from '@freshet/model/run/loaded-model.ts'
import { PromotedModel } from '@freshet/model/run/promoted-model.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { encodeScoreBatch, type ScoreBatch, STATE } from '@freshet/records/score-batch.ts'
import { groupName, topicName } from '@freshet/records/topics.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { withGrace } from '@freshet/stage/grace.ts'
import { inSpan, linksTo, messagingSpan, traceContextOf } from '@freshet/telemetry/spans.ts'
import type { DeadLetters } from '../dead-letters.ts'
import type { ChangeMessage } from './change-message.ts'
import { changesToRows } from './changes-to-rows.ts'
import type { FeatureBatch } from './feature-batch.ts'
import { cutMicroBatches } from './micro-batch.ts'
import { rowsToScores } from './rows-to-scores.ts'
import { type RowScores, scoreRows } from './score-rows.ts'

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
const MAX_SCORE_BYTES = 900_000

/**
 * Scores `.changes` into `.scores` until the signal aborts. Each micro-batch goes the same way: dead letters, then
 * scores, then the offset, each only after the one before is acknowledged. So a crash anywhere scores again what was
 * scored, which ranks make harmless, and skips nothing.
 */
export async function runInfer(context: ServiceContext, deps: InferDeps): Promise<void> {
  const { settings, telemetry, report, signal } = context
  const { store, clock, connection } = deps
  await using models = await PromotedModel.open(
    {
      store,
      pool: settings.scorer,
      intervalMs: settings.model.pointerIntervalMs,
      clock,
      log: telemetry.log,
      onModel: (label) => report.usesModel(label),
      onRefused: () => telemetry.metrics.add('freshet.models_refused'),
    },
    signal,
  )
  if (models === null) return
  using grace = withGrace(signal, GRACE_MS)
  const infer = new Infer(context, deps, models)
  const consumer = new GroupConsumer(connection, {
    groupId: infer.group,
    topic: infer.changesTopic,
    stallMs: STALL_MS,
    concurrency: CONCURRENCY,
    log: telemetry.log,
    clock,
  })
  await consumer.run((batch, lease) => {
    const giveUp = AbortSignal.any([lease.signal, grace.signal])
    return infer.scoreFetch(batch, { ...lease, signal: giveUp })
  }, signal)
}

class Infer {
  readonly group: string
  readonly changesTopic: string
  readonly #scoresTopic: string
  readonly #context: ServiceContext
  readonly #deps: InferDeps
  readonly #models: PromotedModel

  constructor(context: ServiceContext, deps: InferDeps, models: PromotedModel) {
    const { pipeline } = context.settings
    this.group = groupName(pipeline, 'infer')
    this.changesTopic = topicName(pipeline, 'changes')
    this.#scoresTopic = topicName(pipeline, 'scores')
    this.#context = context
    this.#deps = deps
    this.#models = models
  }

  /** One model scores the whole fetch; the next fetch takes the one of its time. */
  async scoreFetch({ messages, partition }: Batch, lease: Lease): Promise<void> {
    const { maxBatchRows: maxRows, maxBatchBytes: maxBytes } = this.#context.settings.scorer
    using model = this.#models.use()
    const limits = { maxRows, maxBytes, maxScoreBytes: MAX_SCORE_BYTES, outputs: model.outputs.length }
    for (const batch of cutMicroBatches(messages, limits)) {
      lease.check()
      await this.#scoreBatch(batch, partition, model, lease)
      await lease.heartbeat()
    }
  }

  async #scoreBatch(
    messages: readonly ChangeMessage[],
    partition: number,
    model: LoadedModel,
    lease: Lease,
  ): Promise<void> {
    const features = changesToRows(messages, model.writer)
    const shape = messagingSpan('process', {
      topic: this.changesTopic,
      group: this.group,
      partition,
      messages: messages.length,
      links: linksTo(features.origins),
      attributes: { [ATTRIBUTES.stage]: 'infer', [ATTRIBUTES.model]: model.label },
    })
    await inSpan(this.#context.telemetry.tracer, shape, async (span) => {
      const scores = await this.#runModel(features, model, lease)
      const { batch, dead } = rowsToScores(features, scores, {
        partition,
        model: model.identity,
        outputs: model.outputs,
        scoredAtMs: this.#deps.clock.nowMs(),
        trace: traceContextOf(span),
      })
      span.setAttribute(ATTRIBUTES.deadRows, dead.length)
      lease.check()
      const source = { topic: this.changesTopic, partition, model: model.label }
      await this.#deps.deadLetters.send(dead, source, lease.signal)
      lease.check()
      await this.#produce(batch, lease)
      await lease.commit(features.toOffset + 1)
      this.#count(batch, messages.length)
    })
  }

  #runModel({ matrix, scorable }: FeatureBatch, model: LoadedModel, lease: Lease): Promise<RowScores> {
    const attributes = { [ATTRIBUTES.stage]: 'infer', [ATTRIBUTES.rows]: scorable.length }
    return inSpan(this.#context.telemetry.tracer, { name: 'run model', attributes }, () =>
      scoreRows(model, matrix, lease.signal),
    )
  }

  async #produce(batch: ScoreBatch, lease: Lease): Promise<void> {
    if (batch.rows.count === 0) return
    const { partition, scoredAtMs } = batch.header
    const message = { partition, key: null, value: encodeScoreBatch(batch), timestampMs: scoredAtMs }
    const shape = messagingSpan('send', { topic: this.#scoresTopic, partition })
    await inSpan(this.#context.telemetry.tracer, shape, () =>
      this.#deps.producer.send(this.#scoresTopic, [message], lease.signal),
    )
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
