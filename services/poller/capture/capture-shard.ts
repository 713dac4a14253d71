import type { Client } from '@elastic/elasticsearch'
import { readPage } from '@freshet/adapters/elasticsearch/read-page.ts'
import type { ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import type { OutgoingMessage, Producer } from '@freshet/adapters/kafka/producer.ts'
import { hitToChange } from '@freshet/capture/hit-to-change.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { CHANGE_HEADER, encodeChangeHeader } from '@freshet/records/change.ts'
import type { Hit } from '@freshet/records/hit.ts'
import { topicName } from '@freshet/records/topics.ts'
import type { StageReport } from '@freshet/service/service.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { saveCursor } from '../sharing/cursor-store.ts'
import { type Capture, defaultLimits, type Effect, type Event, type Observed, step } from './capture.ts'
import { tracePage } from './page-span.ts'

export interface CaptureWorld {
  readonly settings: Settings
  readonly client: Client
  readonly producer: Producer
  readonly telemetry: Telemetry
  readonly clock: Clock
  readonly report: StageReport
  /** Stops the reading; what was read is still sent and acknowledged before `grace` aborts. */
  readonly signal: AbortSignal
  readonly grace: AbortSignal
}

interface PageRead {
  readonly hits: readonly Hit[]
  readonly capturedAtMs: number
}

type Outcome = { readonly self: Promise<Outcome> } & (
  | { readonly event: Event; readonly page?: PageRead }
  | { readonly failure: unknown }
)

/** One scan of one shard: performs what capture.ts decides and feeds the outcomes back, until nothing is left to do. */
export class ShardCapture {
  readonly #world: CaptureWorld
  readonly #view: ShardView
  readonly #refresh: () => Promise<void>
  readonly #running = new Set<Promise<Outcome>>()
  #page: PageRead = { hits: [], capturedAtMs: 0 }
  #state: Capture

  /**
   * @param state   idle.
   * @param refresh refreshes the shard's index, at most once a round for all its shards.
   */
  constructor(world: CaptureWorld, view: ShardView, state: Capture, refresh: () => Promise<void>) {
    this.#world = world
    this.#view = view
    this.#state = state
    this.#refresh = refresh
  }

  /** Where the scan is now. */
  get state(): Capture {
    return this.#state
  }

  /**
   * @param seen how the shard stands by a look that `view` is from.
   * @returns the state, idle again; at the last saved cursor when `error` is set.
   */
  async run(seen: Observed): Promise<{ state: Capture; error?: unknown }> {
    const limits = { ...defaultLimits, pageRows: this.#world.settings.elasticsearch.pageRows }
    let error: unknown
    let event: Event = seen
    for (;;) {
      const [state, effects] = step(this.#state, event, limits)
      this.#state = state
      for (const effect of effects) this.#begin(effect)
      if (this.#running.size === 0) return error === undefined ? { state } : { state, error }
      const outcome = await Promise.race(this.#running)
      this.#running.delete(outcome.self)
      if ('failure' in outcome) {
        error ??= outcome.failure
        event = { kind: 'failed' }
      } else {
        if (outcome.page !== undefined) this.#page = outcome.page
        event = outcome.event
      }
    }
  }

  #begin(effect: Effect): void {
    const outcome: Promise<Outcome> = this.#perform(effect).then(
      (done) => ({ ...done, self: outcome }),
      (failure: unknown) => ({ failure, self: outcome }),
    )
    this.#running.add(outcome)
  }

  async #perform(effect: Effect): Promise<{ event: Event; page?: PageRead }> {
    const { producer, settings, clock, grace } = this.#world
    switch (effect.kind) {
      case 'save':
        await saveCursor(producer, settings.pipeline, effect.cursor, grace)
        return { event: { kind: 'saved' } }
      case 'refresh':
        await this.#refresh()
        return { event: { kind: 'refreshed' } }
      case 'readPage': {
        const page = await this.#read(effect)
        return { event: { kind: 'page', hits: page.hits }, page }
      }
      case 'produce': {
        await this.#produce(this.#page, effect.skip)
        return { event: { kind: 'acked', throughSeqNo: effect.throughSeqNo, nowMs: clock.nowMs() } }
      }
    }
  }

  async #read(effect: Extract<Effect, { kind: 'readPage' }>): Promise<PageRead> {
    const { client, clock, telemetry, signal } = this.#world
    const { index, shard } = this.#view
    const capturedAtMs = clock.nowMs()
    const { hits } = await tracePage(telemetry, 'read', this.#view, () =>
      readPage(client, { index, shard, ...effect }, signal),
    )
    telemetry.metrics.add('freshet.poller.pages')
    return { hits, capturedAtMs }
  }

  async #produce({ hits, capturedAtMs }: PageRead, skip: ReadonlySet<number>): Promise<void> {
    const { producer, settings, telemetry, report, grace } = this.#world
    const { elasticsearch, kafka, pipeline } = settings
    const { epoch } = this.#state.cursor
    const fresh = skip.size === 0 ? hits : hits.filter((_, row) => !skip.has(row))
    await tracePage(telemetry, 'send', this.#view, async (trace) => {
      const messages = fresh.map((hit): OutgoingMessage => {
        const change = hitToChange(hit, { epoch, capturedAtMs, keyScheme: elasticsearch.key, trace })
        return {
          partition: partitionOf(change.key, kafka.partitions),
          key: change.key,
          value: change.source,
          headers: { [CHANGE_HEADER]: encodeChangeHeader(change) },
          timestampMs: capturedAtMs,
        }
      })
      await producer.send(topicName(pipeline, 'changes'), messages, grace)
    })
    telemetry.metrics.add('freshet.poller.changes', fresh.length)
    report.progressed('capture', fresh.length)
  }
}
