import { type FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import { type BackOff, delayMs } from '@freshet/stage/back-off.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { context } from '@opentelemetry/api'
import { suppressTracing } from '@opentelemetry/core'
import type { Metrics } from '../metrics.ts'
import type { Deliver, Delivery } from './delivery.ts'
import { Queue, type Queued } from './queue.ts'

export interface OutboxOptions<Item extends Queued> {
  readonly deliver: Deliver<Item>
  readonly maxQueuedBytes: number
  readonly metrics: Metrics
  readonly clock: Clock
  /** Longest wait for the last items when disposed; 3 s unless told. */
  readonly flushDeadlineMs?: number
  /** What the log should say of the outbox itself. */
  readonly on: OutboxEvents
}

export interface OutboxEvents {
  /** The other side takes nothing; said once, until it does again. */
  unreachable(error: FreshetError): void
  /** It takes items again. */
  recovered(gap: { readonly fromMs: number; readonly toMs: number; readonly droppedDocuments: number }): void
  /** Items were refused for good; said once a reason. */
  refused(reason: string): void
}

const MAX_REQUEST_BYTES = 1024 * 1024
const FLUSH_MS = 1_000
const BACK_OFF: BackOff = { firstMs: 500, maxMs: 30_000 }
const MAX_REASONS = 32

/**
 * Brings telemetry to the other side, one request at a time, beside the work and never in its way: a push is
 * synchronous, what does not fit is dropped and counted, and what is sent is not traced.
 */
export class Outbox<Item extends Queued> implements AsyncDisposable {
  readonly #options: OutboxOptions<Item>
  readonly #queue: Queue<Item>
  readonly #maxRequestBytes: number
  readonly #stop = new AbortController()
  readonly #deadline = new AbortController()
  readonly #reasons = new Set<string>()
  readonly #loop: Promise<void>
  #wake = new AbortController()
  /** Since when nothing, or not all, is taken. */
  #gapFromMs: number | null = null
  #dropped = 0
  #droppedWhenLastTaken = 0

  constructor(options: OutboxOptions<Item>) {
    this.#options = options
    this.#queue = new Queue(options.maxQueuedBytes, () => this.#drop(1, 'queue_full'))
    this.#maxRequestBytes = Math.min(MAX_REQUEST_BYTES, Math.floor(options.maxQueuedBytes / 4))
    this.#loop = context.with(suppressTracing(context.active()), () => this.#run())
  }

  /** What is held of memory now. */
  get queuedBytes(): number {
    return this.#queue.bytes
  }

  push(item: Item): void {
    if (this.#stop.signal.aborted) this.#drop(1, 'stopped')
    else this.#queue.push(item)
    // Each abort makes an exception, also of what is aborted already.
    if (this.#queue.bytes >= this.#maxRequestBytes && !this.#wake.signal.aborted) this.#wake.abort()
  }

  /** Sends what waits within the deadline; the rest is dropped and counted. */
  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(() => this.#deadline.abort(), this.#options.flushDeadlineMs ?? 3_000)
    this.#stop.abort()
    await this.#loop
    clearTimeout(timer)
    this.#drop(this.#queue.waiting, 'stopped')
  }

  async #run(): Promise<void> {
    const { clock } = this.#options
    for (let attempt = 0; ; ) {
      if (this.#stop.signal.aborted && (this.#queue.waiting === 0 || this.#deadline.signal.aborted)) return
      const items = this.#queue.take(this.#maxRequestBytes)
      const delivery = items.length > 0 ? await this.#send(items) : undefined
      if (delivery === undefined || delivery.retry.length === 0) {
        attempt = 0
        if (this.#queue.bytes < this.#maxRequestBytes) await this.#pause(FLUSH_MS)
      } else {
        const waitMs = Math.max(delayMs(BACK_OFF, attempt++, Math.random), delivery.retryAfterMs ?? 0)
        await clock.sleep(waitMs, this.#stop.signal.aborted ? this.#deadline.signal : this.#stop.signal)
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    this.#wake = new AbortController()
    await this.#options.clock.sleep(ms, AbortSignal.any([this.#wake.signal, this.#stop.signal]))
  }

  async #send(items: readonly Item[]): Promise<Delivery<Item>> {
    const { metrics, clock } = this.#options
    const beganAtMs = clock.nowMs()
    const delivery = await this.#deliver(items)
    metrics.add('freshet.telemetry.exported', delivery.written.length)
    this.#drop(delivery.refused.length, 'refused')
    this.#queue.settle(delivery.written)
    this.#queue.settle(delivery.refused)
    this.#queue.putBack(delivery.retry)
    this.#tell(delivery, beganAtMs)
    return delivery
  }

  /** What no deliverer foresaw ends no service either: whoever looks after the loop would take it for a bug of the work. */
  async #deliver(items: readonly Item[]): Promise<Delivery<Item>> {
    try {
      return await this.#options.deliver(items, this.#deadline.signal)
    } catch (error) {
      return { written: [], retry: items, refused: [], error: toFreshetError(error) }
    }
  }

  #tell({ written, error, refusal }: Delivery<Item>, beganAtMs: number): void {
    const { on, clock } = this.#options
    if (error !== undefined && this.#gapFromMs === null && !this.#deadline.signal.aborted) {
      this.#gapFromMs = beganAtMs
      on.unreachable(error)
    }
    if (written.length > 0 && error === undefined) {
      const droppedDocuments = this.#dropped - this.#droppedWhenLastTaken
      if (this.#gapFromMs !== null)
        on.recovered({ fromMs: this.#gapFromMs, toMs: clock.nowMs(), droppedDocuments })
      this.#gapFromMs = null
      this.#droppedWhenLastTaken = this.#dropped
    }
    if (refusal !== undefined && !this.#reasons.has(refusal) && this.#reasons.size < MAX_REASONS) {
      this.#reasons.add(refusal)
      on.refused(refusal)
    }
  }

  #drop(items: number, reason: 'queue_full' | 'refused' | 'stopped'): void {
    this.#dropped += items
    this.#options.metrics.add('freshet.telemetry.dropped', items, reason)
  }
}
