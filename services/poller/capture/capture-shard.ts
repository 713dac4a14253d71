import { Buffer } from 'node:buffer'
import { setImmediate as letOthersRun } from 'node:timers/promises'
import { PageTooLarge, readPage } from '@freshet/adapters/elasticsearch/read-page.ts'
import type { ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import type { TraceContext } from '@freshet/records/change.ts'
import type { Hits } from '@freshet/records/hit.ts'
import { saveCursors } from '../sharing/cursor-store.ts'
import { limitsOf, step } from './capture.ts'
import type { Capture, Effect, Event, Limits, Observed } from './capture-state.ts'
import { traceRead, traceSend } from './page-span.ts'
import type { CaptureWorld } from './world.ts'

interface PageRead {
  readonly hits: Hits
  readonly response: Buffer
  readonly capturedAtMs: number
  /** The span in which it was read. */
  readonly trace: TraceContext | null
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
  readonly #poll: TraceContext | null
  readonly #running = new Set<Promise<Outcome>>()
  #page: PageRead = { hits: [], response: Buffer.alloc(0), capturedAtMs: 0, trace: null }
  #state: Capture
  #yields = false

  /**
   * @param state   idle.
   * @param refresh refreshes the shard's index, at most once a round for all its shards.
   * @param poll    the span of the look that found something to read.
   */
  constructor(
    world: CaptureWorld,
    view: ShardView,
    state: Capture,
    refresh: () => Promise<void>,
    poll: TraceContext | null = null,
  ) {
    this.#world = world
    this.#view = view
    this.#state = state
    this.#refresh = refresh
    this.#poll = poll
  }

  /** Where the scan is now. */
  get state(): Capture {
    return this.#state
  }

  get isYielding(): boolean {
    return this.#yields
  }

  /** Ends the scan as soon as what was read is acknowledged: others wait. */
  yield(): void {
    this.#yields = true
  }

  /**
   * @param seen how the shard stands by a look that `view` is from.
   * @returns the state, idle again. When `error` is set, the cursor may be ahead of what is on disk.
   */
  async run(seen: Observed): Promise<{ state: Capture; error?: unknown }> {
    const limits = limitsOf(this.#world.settings.elasticsearch)
    let error: unknown
    let event: Event = seen
    for (;;) {
      this.#feed(event, limits)
      if (this.#yields) this.#feed({ kind: 'yield' }, limits)
      if (this.#running.size === 0)
        return error === undefined ? { state: this.#state } : { state: this.#state, error }
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

  #feed(event: Event, limits: Limits): void {
    const [state, effects] = step(this.#state, event, limits)
    this.#state = state
    for (const effect of effects) this.#begin(effect)
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
        await saveCursors(producer, settings.pipeline, [effect.cursor], grace)
        return { event: { kind: 'saved' } }
      case 'refresh':
        await this.#refresh()
        return { event: { kind: 'refreshed' } }
      case 'readPage':
        return await this.#read(effect)
      case 'produce': {
        await this.#produce(this.#page, effect.skip)
        return { event: { kind: 'acked', throughSeqNo: effect.throughSeqNo, nowMs: clock.nowMs() } }
      }
    }
  }

  async #read(effect: Extract<Effect, { kind: 'readPage' }>): Promise<{ event: Event; page?: PageRead }> {
    const { client, scope, clock, telemetry, writer, signal } = this.#world
    const { index, shard } = this.#view
    const { query, sourceFilter } = scope
    const request = {
      ...{ index, shard, ...effect, buffers: writer.buffers },
      ...(query !== undefined && { scope: query }),
      ...(sourceFilter !== undefined && { source: sourceFilter }),
    }
    const capturedAtMs = clock.nowMs()
    try {
      const page = await traceRead(telemetry, this.#view, this.#poll, async (trace) => {
        const read = await readPage(client, request, signal)
        return { ...read, trace }
      })
      telemetry.metrics.add('freshet.poller.pages')
      const { hits, bytes, response, trace } = page
      return { event: { kind: 'page', hits, bytes }, page: { hits, response, capturedAtMs, trace } }
    } catch (error) {
      if (!(error instanceof PageTooLarge) || effect.maxBytes === Number.POSITIVE_INFINITY) throw error
      telemetry.metrics.add('freshet.poller.pages_given_up')
      return { event: { kind: 'pageTooLarge', maxRows: error.maxRows } }
    }
  }

  /** Begins when the request for the next page is out: Elasticsearch reads while changes are made here. */
  async #produce(
    { hits, response, capturedAtMs, trace: read }: PageRead,
    skip: ReadonlySet<number>,
  ): Promise<void> {
    const { writer, grace } = this.#world
    const { epoch } = this.#state.cursor
    await letOthersRun()
    const fresh = skip.size === 0 ? hits : [...hits].filter((_, row) => !skip.has(row))
    const sent = { read, documents: fresh.length }
    const isDone = await traceSend(this.#world, this.#view, sent, (trace) =>
      writer.write(fresh, { epoch, capturedAtMs, trace }, grace),
    )
    if (isDone) writer.buffers.give(response)
  }
}
