/** Performs the effects of one shard's capture and feeds the outcomes back, until there is nothing left to do. */
import type { Client } from '@elastic/elasticsearch'
import { type PageRequest, readPage } from '@freshet/adapters/elasticsearch/read-page.ts'
import type { ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import type { OutgoingMessage, Producer } from '@freshet/adapters/kafka/producer.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { CHANGE_HEADER, encodeChangeHeader } from '@freshet/records/change.ts'
import type { Hit } from '@freshet/records/hit.ts'
import { topicName } from '@freshet/records/topics.ts'
import type { StageReport } from '@freshet/service/service.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { type Capture, defaultLimits, type Effect, type Event, type Limits, step } from './capture.ts'
import { saveCursor } from './cursor-store.ts'
import { hitToChange } from './hit-to-change.ts'
import { tracePage } from './page-span.ts'

export interface CaptureWorld {
  readonly settings: Settings
  readonly client: Client
  readonly producer: Producer
  readonly telemetry: Telemetry
  readonly clock: Clock
  readonly report: StageReport
}

interface PageRead {
  readonly hits: readonly Hit[]
  readonly capturedAtMs: number
}

/**
 * @param state    idle; the returned state is idle too, at the old cursor when `error` is set.
 * @param refresh  refreshes the shard's index, at most once a round for all its shards.
 * @param signal   stops the reading; what was read is still produced and acknowledged before `grace` aborts.
 */
export async function captureShard(
  world: CaptureWorld,
  state: Capture,
  view: ShardView,
  newEpoch: number,
  refresh: () => Promise<void>,
  { signal, grace }: { signal: AbortSignal; grace: AbortSignal },
): Promise<{ state: Capture; error?: unknown }> {
  const limits: Limits = { ...defaultLimits, pageRows: world.settings.elasticsearch.pageRows }
  const running = new Set<Promise<Outcome>>()
  const { identity, globalCheckpoint, maxSeqNo } = view
  let page: PageRead = { hits: [], capturedAtMs: 0 }
  let error: unknown
  let event: Event = { kind: 'observed', identity, globalCheckpoint, maxSeqNo, newEpoch }
  for (;;) {
    const [next, effects] = step(state, event, limits)
    state = next
    for (const effect of effects) {
      const outcome: Promise<Outcome> = perform(effect).then(
        (done) => ({ ...done, self: outcome }),
        (failure: unknown) => ({ failure, self: outcome }),
      )
      running.add(outcome)
    }
    if (running.size === 0) return error === undefined ? { state } : { state, error }
    const outcome = await Promise.race(running)
    running.delete(outcome.self)
    if ('failure' in outcome) {
      error ??= outcome.failure
      event = { kind: 'failed' }
      continue
    }
    if (outcome.page !== undefined) page = outcome.page
    event = outcome.event
  }

  async function perform(effect: Effect): Promise<{ event: Event; page?: PageRead }> {
    switch (effect.kind) {
      case 'save':
        await saveCursor(world.producer, world.settings.pipeline, effect.cursor, grace)
        return { event: { kind: 'saved' } }
      case 'refresh':
        await refresh()
        return { event: { kind: 'refreshed' } }
      case 'readPage': {
        const read = await readOne({ index: view.index, shard: view.shard, ...effect })
        return { event: { kind: 'page', hits: read.hits }, page: read }
      }
      case 'produce': {
        const { hits, capturedAtMs } = page
        await produce(
          hits.filter((_, row) => !effect.skip.has(row)),
          capturedAtMs,
        )
        return { event: { kind: 'acked', throughSeqNo: effect.throughSeqNo, nowMs: world.clock.nowMs() } }
      }
    }
  }

  async function readOne(request: PageRequest): Promise<PageRead> {
    const capturedAtMs = world.clock.nowMs()
    const { hits } = await tracePage(world.telemetry, 'read', view, () =>
      readPage(world.client, request, signal),
    )
    world.telemetry.metrics.add('freshet.poller.pages')
    return { hits, capturedAtMs }
  }

  async function produce(hits: readonly Hit[], capturedAtMs: number): Promise<void> {
    const topic = topicName(world.settings.pipeline, 'changes')
    const { epoch } = state.cursor
    await tracePage(world.telemetry, 'send', view, async (trace) => {
      const messages = hits.map((hit): OutgoingMessage => {
        const change = hitToChange(hit, {
          epoch,
          capturedAtMs,
          keyScheme: world.settings.elasticsearch.key,
          trace,
        })
        return {
          partition: partitionOf(change.key, world.settings.kafka.partitions),
          key: change.key,
          value: change.source,
          headers: { [CHANGE_HEADER]: encodeChangeHeader(change) },
          timestampMs: capturedAtMs,
        }
      })
      await world.producer.send(topic, messages, grace)
    })
    world.telemetry.metrics.add('freshet.poller.changes', hits.length)
    world.report.progressed('capture', hits.length)
  }
}

type Outcome = ({ readonly event: Event; readonly page?: PageRead } | { readonly failure: unknown }) & {
  readonly self: Promise<Outcome>
}
