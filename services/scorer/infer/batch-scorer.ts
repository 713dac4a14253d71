import type { Lease } from '@freshet/adapters/kafka/consumer.ts'
import type { Producer } from '@freshet/adapters/kafka/producer.ts'
import type { LoadedModel, ServingModel } from '@freshet/model/run/loaded-model.ts'
import { SharedRuns } from '@freshet/model/run/shared-runs.ts'
import { encodeScoreBatch, type ScoreBatch } from '@freshet/records/score-batch.ts'
import { type TopicName, topicName } from '@freshet/records/topics.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { Batches } from '@freshet/telemetry/batches.ts'
import { inSpan, linksTo, messagingSpan, traceContextOf } from '@freshet/telemetry/spans.ts'
import type { DeadLetters, DeadMessage } from '../dead-letters.ts'
import { leaveSteps } from '../document-steps.ts'
import type { ChangeMessage } from './change-message.ts'
import { changesToRows } from './changes-to-rows.ts'
import type { FeatureBatch } from './feature-batch.ts'
import { rowsToScores } from './rows-to-scores.ts'
import { type RowScores, scoreRows } from './score-rows.ts'

export interface BatchScorerDeps {
  readonly producer: Pick<Producer, 'send'>
  readonly deadLetters: DeadLetters
  readonly clock: Clock
}

export interface BatchScorerOptions {
  /** For traces: `infer` or `rescore`. */
  readonly stage: 'infer' | 'rescore'
  readonly groupId: string
  /** Which letters are written; default: all. */
  readonly isNews?: (letter: DeadMessage) => boolean
  /** The documents say nothing of what comes in now. Default: they do. */
  readonly isBackground?: boolean
}

export interface ScoredBatch {
  readonly batch: ScoreBatch
  readonly features: FeatureBatch
  /** Of the rows that went through the model. */
  readonly scores: RowScores
}

/**
 * Micro-batches of several partitions, which are small while little comes, share a run; large ones are worth a run of their
 * own. Each partition waits with one at most.
 */
const SHARED_RUNS = { runRows: 512, maxWaiting: 1_000 }

/**
 * Scores micro-batches of `.changes` into `.scores`, each the same way: dead letters, then scores, each only after the
 * one before is acknowledged. What comes after, the offset, is its caller's.
 */
export class BatchScorer {
  readonly #context: Pick<ServiceContext, 'settings' | 'telemetry'>
  readonly #deps: BatchScorerDeps
  readonly #options: BatchScorerOptions
  readonly #runs = new SharedRuns(SHARED_RUNS)
  readonly #batches: Batches

  constructor(
    context: Pick<ServiceContext, 'settings' | 'telemetry'>,
    deps: BatchScorerDeps,
    options: BatchScorerOptions,
  ) {
    this.#context = context
    this.#deps = deps
    this.#options = options
    const { telemetry, settings } = context
    this.#batches = new Batches(telemetry, options.stage, settings.telemetry.batchSpansPerSecond)
  }

  /** @param messages n ≥ 1, of one partition. @throws KAFKA_STALE as soon as the lease is over */
  async score(
    messages: readonly ChangeMessage[],
    partition: number,
    model: ServingModel,
    lease: Lease,
  ): Promise<ScoredBatch> {
    const { groupId, isNews = () => true, isBackground = false } = this.#options
    const beganAtMs = this.#deps.clock.nowMs()
    const features = changesToRows(messages, isBackground ? model.backgroundWriter : model.writer)
    const topic = this.#topic('changes')
    const shape = messagingSpan('process', {
      topic,
      group: groupId,
      partition,
      messages: messages.length,
      links: linksTo(features.origins),
      attributes: { [ATTRIBUTES.model]: model.label },
    })
    return await this.#batches.run(shape, async (span) => {
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
      await this.#deps.deadLetters.send(
        dead.filter(isNews),
        { topic, partition, model: model.label },
        lease.signal,
      )
      lease.check()
      await this.#produce(batch, lease)
      this.#trace(batch, features, dead, beganAtMs)
      return { batch, features, scores }
    })
  }

  /** Leaves the spans of the documents that are traced. */
  #trace(batch: ScoreBatch, features: FeatureBatch, dead: readonly DeadMessage[], beganAtMs: number): void {
    const { telemetry } = this.#context
    const step = {
      ...({ step: 'score', after: 'capture', beganAtMs, endedAtMs: this.#deps.clock.nowMs() } as const),
      together: [batch.header.trace],
      attributes: {
        [ATTRIBUTES.messagingSystem]: 'kafka',
        [ATTRIBUTES.messagingDestination]: this.#topic('changes'),
        [ATTRIBUTES.messagingGroup]: this.#options.groupId,
      },
    }
    leaveSteps(telemetry.traced, batch, step, (row) => {
      const message = features.messages[row]!
      const letter = dead.find((one) => one.message === message)
      return {
        attributes: { [ATTRIBUTES.messagingOffset]: message.offset },
        failure: letter && { code: letter.code, message: letter.reason },
      }
    })
  }

  #runModel({ features }: FeatureBatch, model: LoadedModel, lease: Lease): Promise<RowScores> {
    const attributes = { [ATTRIBUTES.stage]: this.#options.stage, [ATTRIBUTES.rows]: features.rows }
    return inSpan(this.#context.telemetry.tracer, { name: 'run model', attributes }, () =>
      scoreRows({ ...model, pool: this.#runs.over(model.pool) }, features, lease.signal),
    )
  }

  async #produce(batch: ScoreBatch, lease: Lease): Promise<void> {
    if (batch.rows.count === 0) return
    const topic = this.#topic('scores')
    const { partition, scoredAtMs } = batch.header
    const message = { partition, key: null, value: encodeScoreBatch(batch), timestampMs: scoredAtMs }
    await inSpan(this.#context.telemetry.tracer, messagingSpan('send', { topic, partition }), () =>
      this.#deps.producer.send(topic, [message], lease.signal),
    )
  }

  #topic(name: TopicName): string {
    return topicName(this.#context.settings.pipeline, name)
  }
}
