import type { Settings } from '@freshet/config/schema.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { LogRecordProcessor } from '@opentelemetry/sdk-logs'
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics'
import type { SpanProcessor } from '@opentelemetry/sdk-trace-base'
import { withApmFields } from './documents/apm-fields.ts'
import { bulkDelivery } from './elasticsearch/bulk.ts'
import { connectTelemetry } from './elasticsearch/connect.ts'
import * as elasticsearch from './elasticsearch/processors.ts'
import type { Metrics } from './metrics.ts'
import type { OtlpItem } from './otlp/otlp-item.ts'
import * as otlp from './otlp/processors.ts'
import { temporalityOf, waysOf } from './otlp/variables.ts'
import type { Deliver } from './outbox/delivery.ts'
import { Outbox, type OutboxEvents } from './outbox/outbox.ts'

/** Where the SDK hands over each signal; null: nowhere. */
export interface SignalPaths extends AsyncDisposable {
  readonly spans: SpanProcessor | null
  readonly logs: LogRecordProcessor | null
  readonly metrics: PushMetricExporter | null
}

export interface SignalPathsOptions {
  readonly settings: Settings
  readonly metrics: Metrics
  readonly clock: Clock
  /** @param receiver for people */
  readonly eventsOf: (receiver: string) => OutboxEvents
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * The ways out of the process: straight to Elasticsearch, or to a collector where the standard variables say so. Disposing
 * sends what waits, within a deadline.
 * @throws CONFIG_INVALID for a standard variable that asks for what this program cannot do
 */
export function openSignalPaths(options: SignalPathsOptions): SignalPaths {
  const { settings, metrics, clock, eventsOf, env } = options
  const { enabled, namespace, maxQueuedBytes, apmFields } = settings.telemetry
  const ways = enabled ? waysOf(env) : { traces: 'nowhere', logs: 'nowhere', metrics: 'nowhere' }
  const used = new Set(Object.values(ways))
  const opened = new AsyncDisposableStack()
  const common = { maxQueuedBytes, metrics, clock }
  const openWays: Record<string, OpenWay> = {}
  if (used.has('elasticsearch')) {
    const { client } = opened.use(connectTelemetry(settings))
    const deliver = bulkDelivery(client, clock)
    const outbox = opened.use(new Outbox({ ...common, deliver, on: eventsOf('Elasticsearch') }))
    openWays['elasticsearch'] = {
      spans: () => elasticsearch.spanProcessor(outbox, namespace),
      logs: () => elasticsearch.logProcessor(outbox, namespace),
      metrics: () => elasticsearch.metricExporter(outbox, namespace),
    }
  }
  if (used.has('collector')) {
    const deliver = otlpDelivery()
    const outbox = opened.use(new Outbox({ ...common, deliver, on: eventsOf('the collector') }))
    openWays['collector'] = {
      spans: () => otlp.spanProcessor(outbox),
      logs: () => otlp.logProcessor(outbox),
      metrics: () => otlp.metricExporter(outbox, temporalityOf(env)),
    }
  }
  const spans = openWays[ways.traces]?.spans() ?? null
  return {
    spans: spans !== null && apmFields ? enriching(spans) : spans,
    logs: openWays[ways.logs]?.logs() ?? null,
    metrics: openWays[ways.metrics]?.metrics() ?? null,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** What hands a signal over to the outbox of a way, made when the signal goes there. */
interface OpenWay {
  readonly spans: () => SpanProcessor
  readonly logs: () => LogRecordProcessor
  readonly metrics: () => PushMetricExporter
}

/** Both ways get the same fields, so that both make the same documents. */
function enriching(processor: SpanProcessor): SpanProcessor {
  return {
    onStart: (span, context) => processor.onStart(span, context),
    onEnd: (span) => processor.onEnd(withApmFields(span)),
    forceFlush: () => processor.forceFlush(),
    shutdown: () => processor.shutdown(),
  }
}

/** The exporters and protobuf are loaded only where they are used. */
function otlpDelivery(): Deliver<OtlpItem> {
  const loading = import('./otlp/otlp-delivery.ts').then(({ OtlpDelivery }) => new OtlpDelivery())
  loading.catch(() => {}) // told by each delivery that waits for it
  return async (items, signal) => (await loading).deliver(items, signal)
}
