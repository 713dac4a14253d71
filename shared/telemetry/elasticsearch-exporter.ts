import type { Client } from '@elastic/elasticsearch'
import type { FreshetError } from '@freshet/errors/errors.ts'
import { type BackOff, delayMs } from '@freshet/stage/back-off.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { context } from '@opentelemetry/api'
import { suppressTracing } from '@opentelemetry/core'
import { type BulkOutcome, writeBulk } from './bulk.ts'
import { DocumentQueue, type QueuedDocument } from './document-queue.ts'
import type { Metrics } from './metrics.ts'

export interface ExporterOptions {
  readonly client: Client
  readonly maxQueuedBytes: number
  readonly metrics: Metrics
  readonly clock: Clock
  /** Longest wait for the last documents when disposed; 3 s unless told. */
  readonly flushDeadlineMs?: number
  /** What the log should say of the exporter itself. */
  readonly on: ExporterEvents
}

export interface ExporterEvents {
  /** Elasticsearch takes nothing; said once, until it does again. */
  unreachable(error: FreshetError): void
  /** It takes documents again. */
  recovered(gap: { readonly fromMs: number; readonly toMs: number; readonly droppedDocuments: number }): void
  /** Documents were refused for good; said once a reason. */
  refused(reason: string): void
}

const MAX_BULK_BYTES = 1024 * 1024
const FLUSH_MS = 1_000
const BACK_OFF: BackOff = { firstMs: 500, maxMs: 30_000 }
const MAX_REASONS = 32

/**
 * Brings documents to Elasticsearch, one bulk request at a time, beside the work and never in its way: a push is
 * synchronous, what does not fit is dropped and counted, and what is sent is not traced.
 */
export class ElasticsearchExporter implements AsyncDisposable {
  readonly #options: ExporterOptions
  readonly #queue: DocumentQueue
  readonly #maxBulkBytes: number
  readonly #stop = new AbortController()
  readonly #deadline = new AbortController()
  readonly #reasons = new Set<string>()
  readonly #loop: Promise<void>
  #wake = new AbortController()
  #gap: { fromMs: number; droppedBefore: number } | null = null
  #droppedDocuments = 0

  constructor(options: ExporterOptions) {
    this.#options = options
    this.#queue = new DocumentQueue(options.maxQueuedBytes, () => this.#drop(1, 'queue_full'))
    this.#maxBulkBytes = Math.min(MAX_BULK_BYTES, Math.floor(options.maxQueuedBytes / 4))
    this.#loop = context.with(suppressTracing(context.active()), () => this.#run())
  }

  push(document: QueuedDocument): void {
    if (this.#stop.signal.aborted) this.#drop(1, 'stopped')
    else this.#queue.push(document)
    // Each abort makes an exception, also of what is aborted already.
    if (this.#queue.bytes >= this.#maxBulkBytes && !this.#wake.signal.aborted) this.#wake.abort()
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
      const documents = this.#queue.take(this.#maxBulkBytes)
      const outcome = documents.length > 0 ? await this.#write(documents) : undefined
      if (outcome === undefined || outcome.retry.length === 0) {
        attempt = 0
        if (this.#queue.bytes < this.#maxBulkBytes) await this.#pause(FLUSH_MS)
      } else {
        const waitMs = Math.max(delayMs(BACK_OFF, attempt++, Math.random), outcome.retryAfterMs ?? 0)
        await clock.sleep(waitMs, this.#stop.signal.aborted ? this.#deadline.signal : this.#stop.signal)
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    this.#wake = new AbortController()
    await this.#options.clock.sleep(ms, AbortSignal.any([this.#wake.signal, this.#stop.signal]))
  }

  async #write(documents: readonly QueuedDocument[]): Promise<BulkOutcome> {
    const { client, metrics } = this.#options
    const outcome = await writeBulk(client, documents, this.#deadline.signal)
    metrics.add('freshet.telemetry.exported', outcome.written.length)
    this.#drop(outcome.refused.length, 'refused')
    this.#queue.settle(outcome.written)
    this.#queue.settle(outcome.refused)
    this.#queue.putBack(outcome.retry)
    this.#tell(outcome)
    return outcome
  }

  #tell({ written, error, refusal }: BulkOutcome): void {
    const { on, clock } = this.#options
    if (error !== undefined && this.#gap === null && !this.#deadline.signal.aborted) {
      this.#gap = { fromMs: clock.nowMs(), droppedBefore: this.#droppedDocuments }
      on.unreachable(error)
    }
    if (written.length > 0 && this.#gap !== null) {
      const { fromMs, droppedBefore } = this.#gap
      this.#gap = null
      on.recovered({
        fromMs,
        toMs: clock.nowMs(),
        droppedDocuments: this.#droppedDocuments - droppedBefore,
      })
    }
    if (refusal !== undefined && !this.#reasons.has(refusal) && this.#reasons.size < MAX_REASONS) {
      this.#reasons.add(refusal)
      on.refused(refusal)
    }
  }

  #drop(documents: number, reason: 'queue_full' | 'refused' | 'stopped'): void {
    this.#droppedDocuments += documents
    this.#options.metrics.add('freshet.telemetry.dropped', documents, reason)
  }
}
