import type { TimestampedHit } from '@freshet/adapters/elasticsearch/cut-timestamped-hits.ts'
import { FrozenIndex } from '@freshet/adapters/elasticsearch/read-by-timestamp.ts'
import { refresh } from '@freshet/adapters/elasticsearch/read-page.ts'
import type { TraceContext } from '@freshet/records/change.ts'
import type { Cursor } from '@freshet/records/cursor.ts'
import { FIXED_LIMITS } from '../capture/capture.ts'
import { traceRead, traceSend } from '../capture/page-span.ts'
import type { CaptureWorld } from '../capture/world.ts'
import { saveCursors } from '../sharing/cursor-store.ts'
import { CaptureByTimestamp, type Frozen, type IndexWorld } from './capture-by-timestamp.ts'
import { overlapOf, resume } from './progress.ts'
import { progressOf, type StoredProgress, withProgress } from './stored-progress.ts'

/** About 150 bytes each. */
const MAX_REMEMBERED = 200_000

/** Capture of one index: what capture-by-timestamp.ts asks for, done with Elasticsearch and Kafka. */
export class IndexCapture implements IndexWorld<TimestampedHit> {
  readonly #world: CaptureWorld
  readonly #shards: number
  readonly #capture: CaptureByTimestamp<TimestampedHit>
  readonly #stop = new AbortController()
  #cursor: Cursor
  #frozenAtMs = 0
  /** The span of the last page that was read. */
  #read: TraceContext | null = null

  /** @param cursor stored, so that nothing is emitted under an epoch that nobody knows. */
  constructor(world: CaptureWorld, shards: number, cursor: Cursor) {
    const { pageRows, maxPageBytes, timestampOverlapSeconds } = world.settings.elasticsearch
    this.#world = world
    this.#shards = shards
    this.#cursor = cursor
    this.#capture = new CaptureByTimestamp(this, resume(progressOf(cursor)), {
      ...{ pageRows, maxPageBytes, maxPageRows: FIXED_LIMITS.maxPageRows, maxRemembered: MAX_REMEMBERED },
      overlap: overlapOf(timestampOverlapSeconds * 1_000),
    })
  }

  get cursor(): Cursor {
    return this.#cursor
  }

  /** @param state of the index, read before; see planRead */
  poll(state: string | undefined): Promise<void> {
    return this.#capture.poll({ nowMs: this.#world.clock.nowMs(), state })
  }

  /** What is being read is left. */
  stop(): void {
    this.#stop.abort()
  }

  async freeze(): Promise<Frozen<TimestampedHit>> {
    const { client, scope, settings, clock, telemetry } = this.#world
    const signal = AbortSignal.any([this.#world.signal, this.#stop.signal])
    const { index } = this.#cursor
    this.#frozenAtMs = clock.nowMs()
    await refresh(client, index, signal)
    const view = await FrozenIndex.open(
      client,
      {
        ...{ name: index, shards: this.#shards, field: settings.elasticsearch.timestampField! },
        ...(scope.query !== undefined && { scope: scope.query }),
        ...(scope.sourceFilter !== undefined && { source: scope.sourceFilter }),
      },
      signal,
    )
    return {
      read: async (request) => {
        const page = await traceRead(telemetry, this.#cursor, null, (trace) => {
          this.#read = trace
          return view.read(request)
        })
        telemetry.metrics.add('freshet.poller.pages')
        return page
      },
      [Symbol.asyncDispose]: () => view[Symbol.asyncDispose](),
    }
  }

  async emit(hits: readonly TimestampedHit[]): Promise<void> {
    const { writer, grace } = this.#world
    const page = { epoch: this.#cursor.epoch, capturedAtMs: this.#frozenAtMs }
    const sent = { read: this.#read, documents: hits.length }
    await traceSend(this.#world, this.#cursor, sent, (trace) => writer.write(hits, { ...page, trace }, grace))
  }

  async save(progress: StoredProgress): Promise<void> {
    const cursor = withProgress(this.#cursor, progress)
    await saveCursors(this.#world.producer, this.#world.settings.pipeline, [cursor], this.#world.grace)
    this.#cursor = cursor
  }

  /** For where another poller has written over what stands in `.cursors`. */
  async saveAgain(): Promise<void> {
    const { producer, settings, grace } = this.#world
    await saveCursors(producer, settings.pipeline, [this.#cursor], grace)
  }
}
