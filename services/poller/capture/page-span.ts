import type { ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import type { TraceContext } from '@freshet/records/change.ts'
import { topicName } from '@freshet/records/topics.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import {
  inSpan,
  leaveSpan,
  linksTo,
  messagingSpan,
  type SpanShape,
  traceContextOf,
} from '@freshet/telemetry/spans.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { SpanKind } from '@opentelemetry/api'
import type { CaptureWorld } from './world.ts'

type Place = Pick<ShardView, 'index' | 'shard'>
type Traced<T> = (trace: TraceContext | null) => Promise<T>

/**
 * Of a look at all shards: it is left only when there was something to read, or when it failed. A span of every look would
 * be a hundred thousand a day that say nothing.
 */
export function leavePoll(
  { telemetry, settings, clock }: Pick<CaptureWorld, 'telemetry' | 'settings' | 'clock'>,
  { beganAtMs, dueShards, error }: { beganAtMs: number; dueShards: number; error?: unknown },
): TraceContext | null {
  const { index } = settings.elasticsearch
  const attributes = { ...searching(index), [ATTRIBUTES.dueShards]: dueShards }
  const shape = { name: `poll ${index}`, kind: SpanKind.CLIENT, attributes }
  return leaveSpan(telemetry.tracer, shape, { beganAtMs, endedAtMs: clock.nowMs(), error })
}

/** Around a page read from a shard. @param poll the look that found something there. */
export function traceRead<T>(
  { tracer }: Telemetry,
  place: Place,
  poll: TraceContext | null,
  work: Traced<T>,
): Promise<T> {
  const attributes = { ...searching(place.index), ...at(place) }
  const shape: SpanShape = {
    name: `search ${place.index}`,
    kind: SpanKind.CLIENT,
    attributes,
    links: linksTo([poll]),
  }
  return inSpan(tracer, shape, (span) => work(traceContextOf(span)))
}

/**
 * Around a page sent to Kafka. Its context travels in the page's changes.
 * @param read the span in which it was read.
 */
export function traceSend<T>(
  { telemetry, settings }: Pick<CaptureWorld, 'telemetry' | 'settings'>,
  place: Place,
  { read, documents }: { readonly read: TraceContext | null; readonly documents: number },
  work: Traced<T>,
): Promise<T> {
  const shape = messagingSpan('send', {
    topic: topicName(settings.pipeline, 'changes'),
    messages: documents,
    attributes: { ...at(place), [ATTRIBUTES.stage]: 'capture' },
    parent: read,
  })
  return inSpan(telemetry.tracer, shape, (span) => work(traceContextOf(span)))
}

function searching(index: string) {
  return {
    [ATTRIBUTES.stage]: 'capture',
    [ATTRIBUTES.dbSystem]: 'elasticsearch',
    [ATTRIBUTES.dbOperation]: 'search',
    [ATTRIBUTES.dbCollection]: index,
  }
}

function at({ index, shard }: Place) {
  return { [ATTRIBUTES.sourceIndex]: index, [ATTRIBUTES.sourceShard]: shard }
}
