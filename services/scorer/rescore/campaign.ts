import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import {
  type Batch,
  GroupConsumer,
  type IncomingMessage,
  type Lease,
} from '@freshet/adapters/kafka/consumer.ts'
import { isFreshetError } from '@freshet/errors/errors.ts'
import type { PromotedModel } from '@freshet/model/run/promoted-model.ts'
import { rescoreNoteRecord } from '@freshet/records/scoring-note.ts'
import { rescoreGroup, topicName } from '@freshet/records/topics.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { withGrace } from '@freshet/stage/grace.ts'
import type { BackgroundWork } from '../background-work.ts'
import { commitSpans } from '../commit-spans.ts'
import type { BatchScorer } from '../infer/batch-scorer.ts'
import { cutMicroBatches, MAX_SCORE_BYTES } from '../infer/micro-batch.ts'
import { leftOf, type PartitionPlan, progressOf } from './plan.ts'

export interface CampaignDeps {
  readonly connection: KafkaConnection
  readonly models: PromotedModel
  readonly scorer: BatchScorer
  readonly background: BackgroundWork
  readonly clock: Clock
  /** Of the model to score with; with another one, the campaign is over. */
  readonly generation: number
  /** What is left now. */
  readonly look: () => Promise<readonly PartitionPlan[]>
}

/** Small, because a fresh change may have to wait for one. */
const BATCH_ROWS = 500
const BATCH_BYTES = 1024 * 1024
/** Decoded in one go, which fresh changes have to wait for too. */
const FETCH_BYTES = 256 * 1024
const STALL_MS = 60_000
const GRACE_MS = 5_000
/** How often Kafka is asked what is left, while that changes. */
export const LOOK_SOON_MS = 1_000
/** What is left may be offsets without messages: deletes at the end of a log, which Kafka forgets after a week. */
const UNREAD_MS = 30_000

/**
 * Scores again what is left, together with the campaigns of other scorers: the partitions are shared by a consumer
 * group, whose offsets say how far each one is. It is over when nothing is left anywhere, or when another model is in use.
 */
export class Campaign {
  readonly #context: ServiceContext
  readonly #deps: CampaignDeps
  readonly #over = new AbortController()
  #plans = new Map<number, PartitionPlan>()
  #beganAtMs = 0
  #lastReadAtMs = 0
  #owned: readonly number[] = []
  readonly #resting = new Map<number, { readonly at: number; readonly wake: () => void }>()

  constructor(context: ServiceContext, deps: CampaignDeps) {
    this.#context = context
    this.#deps = deps
  }

  /** @returns `unread` when something is left that Kafka does not hand out. */
  async run(plans: readonly PartitionPlan[]): Promise<'over' | 'unread'> {
    this.#take(plans)
    if (!this.#isAnyLeft()) return 'over'
    const { settings, telemetry, signal } = this.#context
    const { clock, generation } = this.#deps
    const { total, left, beganAtMs } = progressOf(plans)
    this.#beganAtMs = beganAtMs ?? clock.nowMs()
    this.#lastReadAtMs = clock.nowMs()
    telemetry.log.info(`scoring again: ${left} of ${total} changes are left`, {
      [ATTRIBUTES.modelGeneration]: generation,
    })
    const stop = AbortSignal.any([signal, this.#over.signal])
    using grace = withGrace(stop, GRACE_MS)
    const source = {
      groupId: rescoreGroup(settings.pipeline),
      topic: topicName(settings.pipeline, 'changes'),
    }
    const consumer = new GroupConsumer(this.#deps.connection, {
      ...source,
      onCommit: commitSpans(this.#context, source),
      stallMs: STALL_MS,
      maxFetchBytes: FETCH_BYTES,
      log: telemetry.log,
      clock,
      onAssigned: (partitions) => this.#begin(partitions),
      onRevoked: () => this.#resting.clear(),
    })
    const watching = this.#watch(stop)
    watching.catch(() => {}) // told when the consumer has ended; until then it must not count as unhandled
    try {
      await consumer.run((batch, lease) => {
        const giveUp = AbortSignal.any([lease.signal, grace.signal])
        return this.#scoreFetch(batch, { ...lease, signal: giveUp }, stop)
      }, stop)
    } finally {
      this.#over.abort()
      await Promise.allSettled([watching]) // told below, unless the consumer's own error is
    }
    return await watching
  }

  async #begin(partitions: readonly number[]): Promise<ReadonlyMap<number, number>> {
    this.#take(await this.#deps.look())
    this.#owned = partitions
    this.#lastReadAtMs = this.#deps.clock.nowMs()
    return new Map(partitions.map((partition) => [partition, this.#plans.get(partition)?.from ?? 0]))
  }

  async #scoreFetch({ partition, messages }: Batch, lease: Lease, stop: AbortSignal): Promise<void> {
    const { from, to } = this.#plans.get(partition) ?? { from: 0, to: 0 }
    const left = messages.filter(({ offset }) => offset < to)
    for (const micro of cutMicroBatches(left, this.#limits())) {
      const work = () => this.#scoreBatch(micro, partition, lease)
      const isDone = await this.#deps.background.doNext(work, stop)
      if (isDone !== true) return this.#rest(partition, micro[0]!.offset, lease)
      await lease.heartbeat()
    }
    if (left.length === messages.length) return
    if (from < to) await this.#commit(to, lease)
    this.#rest(partition, Math.max(from, to), lease)
  }

  /** @returns false when the model is another one by now, and the campaign over */
  async #scoreBatch(micro: readonly IncomingMessage[], partition: number, lease: Lease): Promise<boolean> {
    const { models, scorer, generation, clock } = this.#deps
    using model = models.use()
    if (model.identity.generation !== generation) {
      this.#over.abort()
      return false
    }
    // Deletes too: the log may still hold the document before one, and stores forget old deletes. What has no key was
    // never scored.
    const changes = micro.filter(({ key }) => key !== null)
    if (changes.length > 0) {
      lease.check()
      await scorer.score(changes, partition, model, lease)
      this.#context.telemetry.metrics.add('freshet.rescore.rows', changes.length)
      this.#context.report.progressed('rescore', changes.length)
    }
    await this.#commit(micro.at(-1)!.offset + 1, lease)
    this.#lastReadAtMs = clock.nowMs()
    return true
  }

  async #commit(nextOffset: number, lease: Lease): Promise<void> {
    const { generation } = this.#deps
    const note = rescoreNoteRecord.encode({ version: 1, generation, beganAtMs: this.#beganAtMs })
    await lease.commit(nextOffset, note)
  }

  #limits() {
    const { maxBatchRows, maxBatchBytes } = this.#context.settings.scorer
    return {
      maxRows: Math.min(BATCH_ROWS, maxBatchRows),
      maxBytes: Math.min(BATCH_BYTES, maxBatchBytes),
      maxScoreBytes: MAX_SCORE_BYTES,
      outputs: this.#deps.models.current?.outputs.length ?? 1,
    }
  }

  #rest(partition: number, at: number, lease: Lease): void {
    this.#resting.set(partition, { at, wake: lease.rest(at) })
  }

  /** Looks again and again at what is left, until nothing is. */
  async #watch(stop: AbortSignal): Promise<'over' | 'unread'> {
    const { clock, look, models, generation } = this.#deps
    try {
      while (!stop.aborted) {
        await clock.sleep(LOOK_SOON_MS, stop)
        if (stop.aborted || models.current?.identity.generation !== generation) break
        try {
          this.#take(await look())
        } catch (error) {
          if (stop.aborted) break
          if (!isFreshetError(error) || !error.retryable) throw error
          continue // the consumer tells of a Kafka that is away
        }
        if (!this.#isAnyLeft()) break
        if (this.#isUnread()) return 'unread'
        this.#wake()
      }
      return 'over'
    } finally {
      this.#over.abort()
    }
  }

  #take(plans: readonly PartitionPlan[]): void {
    this.#plans = new Map(plans.map((plan) => [plan.partition, plan]))
  }

  #isAnyLeft(): boolean {
    return [...this.#plans.values()].some((plan) => leftOf(plan) > 0)
  }

  #isUnread(): boolean {
    const waits = this.#owned.some((at) => leftOf(this.#plans.get(at)!) > 0 && !this.#resting.has(at))
    return waits && this.#deps.clock.nowMs() - this.#lastReadAtMs > UNREAD_MS
  }

  /** Of the partitions at rest, those for which there is more to do by now. */
  #wake(): void {
    for (const [partition, { at, wake }] of this.#resting) {
      if ((this.#plans.get(partition)?.to ?? 0) <= at) continue
      this.#resting.delete(partition)
      wake()
    }
  }
}
