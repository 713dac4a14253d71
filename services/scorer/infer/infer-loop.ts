import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { type Batch, GroupConsumer, type Lease } from '@freshet/adapters/kafka/consumer.ts'
import type { Producer } from '@freshet/adapters/kafka/producer.ts'
import { GatheredSends } from '@freshet/adapters/kafka/send/gathered-sends.ts'
import type { ServingModel } from '@freshet/model/run/loaded-model.ts'
import type { PromotedModel } from '@freshet/model/run/promoted-model.ts'
import { type ScoreBatch, STATE } from '@freshet/records/score-batch.ts'
import { inferNoteRecord } from '@freshet/records/scoring-note.ts'
import { groupName, topicName } from '@freshet/records/topics.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { withGrace } from '@freshet/stage/grace.ts'
import type { BackgroundWork } from '../background-work.ts'
import { commitSpans } from '../commit-spans.ts'
import type { DeadLetters } from '../dead-letters.ts'
import { BatchScorer, type ScoredBatch } from './batch-scorer.ts'
import { cutMicroBatches, MAX_SCORE_BYTES } from './micro-batch.ts'
import type { Stretches } from './stretches.ts'

export interface InferDeps {
  readonly connection: KafkaConnection
  readonly producer: Producer
  readonly deadLetters: DeadLetters
  readonly clock: Clock
}

/** Longer than the slowest micro-batch with all its retries; a consumer that moves less is built anew. */
const STALL_MS = 60_000
/** How long a stop waits for what is in hand, so that a Kafka that is away cannot hold it up. */
const GRACE_MS = 5_000
/**
 * Partitions in work at once: while the model scores one, the next is decoded, and what is ready together is produced in
 * one request. All of a fetch, since the next fetch waits for the last of this one. why: decisions/0016
 */
const CONCURRENCY = 16

/** What the loop shares with the work that goes on beside it. */
export interface InferParts {
  readonly models: PromotedModel
  readonly background: BackgroundWork
  readonly stretches: Stretches
  /** Told of each micro-batch that is acknowledged; must return at once. */
  readonly onScored: (model: ServingModel, scored: ScoredBatch) => void
}

/**
 * Scores `.changes` into `.scores` until the signal aborts. After each micro-batch of fresh changes comes its offset. So a
 * crash anywhere scores again what was scored, which ranks make harmless, and skips nothing.
 */
export async function scoreFresh(context: ServiceContext, deps: InferDeps, parts: InferParts): Promise<void> {
  const { settings, telemetry, signal } = context
  using grace = withGrace(signal, GRACE_MS)
  const infer = new Infer(context, deps, parts)
  const source = {
    groupId: groupName(settings.pipeline, 'infer'),
    topic: topicName(settings.pipeline, 'changes'),
  }
  const consumer = new GroupConsumer(deps.connection, {
    ...source,
    onCommit: commitSpans(context, source),
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
    const { models, background, stretches, onScored } = this.#parts
    using _ = background.holdOff()
    using model = models.use()
    const note = stretches.during(partition, lease.start, model.identity.generation)
    const limits = { maxRows, maxBytes, maxScoreBytes: MAX_SCORE_BYTES, outputs: model.outputs.length }
    for (const micro of cutMicroBatches(messages, limits)) {
      lease.check()
      const scored = await this.#scorer.score(micro, partition, model, lease)
      await lease.commit(scored.batch.header.toOffset + 1, inferNoteRecord.encode(note))
      onScored(model, scored)
      this.#count(scored.batch, micro.length)
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
