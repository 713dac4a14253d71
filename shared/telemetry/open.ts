import type { Settings } from '@freshet/config/schema.ts'
import { ATTRIBUTES, SCHEMA_URL } from '@freshet/stage/attributes.ts'
import { type Clock, systemClock } from '@freshet/stage/clock.ts'
import { errorAttributes } from '@freshet/stage/error-attributes.ts'
import type { Log } from '@freshet/stage/log.ts'
import { context, type Tracer } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import type { InstrumentationScope } from '@opentelemetry/core'
import type { Resource } from '@opentelemetry/resources'
import { LoggerProvider, type LogRecordProcessor } from '@opentelemetry/sdk-logs'
import {
  type InstrumentType,
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics'
import { AlwaysOffSampler, BasicTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { LogFormat } from './log-line.ts'
import { type LogRecord, SEVERITIES } from './log-record.ts'
import { Logger } from './logger.ts'
import { MetricsProducer } from './metric-producer.ts'
import { Metrics } from './metrics.ts'
import { metricIntervalMs } from './otlp/variables.ts'
import type { OutboxEvents } from './outbox/outbox.ts'
import { describeResource, VERSION } from './resource.ts'
import { openSignalPaths } from './signal-paths.ts'
import type { Telemetry } from './telemetry.ts'
import { ChosenIds } from './traced/chosen-ids.ts'
import { DocumentNames } from './traced/document-names.ts'
import { TracedDocuments } from './traced/traced-documents.ts'

export interface TelemetryOptions {
  readonly settings: Settings
  /** e.g. `scorer`. */
  readonly service: string
  /** Unique among living processes, e.g. `scorer-4711`. */
  readonly instance: string
  readonly clock?: Clock
  /** `pretty` for a terminal, `json` for everything else. */
  readonly format: LogFormat
  /** Where OpenTelemetry's standard variables are looked up; process.env unless told. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/**
 * Lines go to stderr at once; spans, lines and metrics go out of the process when the other side takes them. A server
 * that is away costs nothing but the telemetry: disposing waits at most 3 s for it.
 * @throws CONFIG_INVALID for a standard variable (OTEL_) that asks for what this program cannot do
 */
export function openTelemetry(options: TelemetryOptions): Telemetry {
  const { settings, service, instance, clock = systemClock, format, env = process.env } = options
  const { namespace, logLevel, traceOneIn: oneIn, keySalt } = settings.telemetry
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const resource = describeResource({ service, instance, namespace }, settings.telemetry.apmFields)
  const scope = { name: `freshet.${service}`, version: VERSION, schemaUrl: SCHEMA_URL }
  const metrics = new Metrics()
  const stack = new AsyncDisposableStack()
  const eventsOf = (receiver: string) => eventsAsLines(receiver, () => log)
  const paths = stack.use(openSignalPaths({ settings, metrics, clock, eventsOf, env }))
  const ids = new ChosenIds()
  const tracer = tracerTo(paths.spans, { resource, scope, ids })
  const exportRecord = paths.logs && recordExporter(paths.logs, { resource, scope })
  const log: Log = new Logger({
    level: logLevel,
    format,
    service,
    clock,
    ...(exportRecord && { exportRecord }),
  })
  if (paths.metrics) {
    const everyMs = metricIntervalMs(env) ?? settings.telemetry.metricsEverySeconds * 1_000
    stack.use(tellMetrics(metrics, paths.metrics, { resource, scope, everyMs }))
  }
  const names = new DocumentNames(settings.pipeline, keySalt)
  return {
    log,
    metrics,
    tracer,
    traced: new TracedDocuments({ tracer, ids, names, oneIn, isOff: paths.spans === null }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

interface Origin {
  readonly resource: Resource
  readonly scope: InstrumentationScope
}

function tracerTo(
  processor: SpanProcessor | null,
  { resource, scope, ids }: Origin & { readonly ids: ChosenIds },
): Tracer {
  const provider = new BasicTracerProvider({
    resource,
    idGenerator: ids,
    ...(processor ? { spanProcessors: [processor] } : { sampler: new AlwaysOffSampler() }),
  })
  return provider.getTracer(scope.name, scope.version, { schemaUrl: SCHEMA_URL })
}

function recordExporter(
  processor: LogRecordProcessor,
  { resource, scope }: Origin,
): (record: LogRecord) => void {
  const provider = new LoggerProvider({ resource, processors: [processor] })
  const logger = provider.getLogger(scope.name, scope.version, { schemaUrl: SCHEMA_URL })
  return ({ atMs, level, message, attributes }) =>
    logger.emit({
      timestamp: atMs,
      severityNumber: SEVERITIES[level],
      severityText: level.toUpperCase(),
      body: message,
      attributes: { ...attributes },
    })
}

/** The SDK reads the table every so often, and once more at the end. */
function tellMetrics(
  metrics: Metrics,
  exporter: PushMetricExporter,
  { resource, scope, everyMs }: Origin & { readonly everyMs: number },
): AsyncDisposable {
  const temporalityOf = (type: InstrumentType) => exporter.selectAggregationTemporality!(type)
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: everyMs,
    exportTimeoutMillis: everyMs,
    metricProducers: [new MetricsProducer(metrics, scope, temporalityOf)],
  })
  const provider = new MeterProvider({ resource, readers: [reader] })
  return { [Symbol.asyncDispose]: () => provider.shutdown() }
}

/** What the way out has to say of itself, in the log that it takes out. */
function eventsAsLines(receiver: string, log: () => Log): OutboxEvents {
  return {
    unreachable: (error) =>
      log().warn(`telemetry waits: ${receiver} does not take it`, {
        ...errorAttributes(error),
        [ATTRIBUTES.hint]: error.hint,
      }),
    recovered: ({ fromMs, toMs, droppedDocuments }) =>
      log().info('telemetry flows again', {
        [ATTRIBUTES.gapFrom]: new Date(fromMs).toISOString(),
        [ATTRIBUTES.gapTo]: new Date(toMs).toISOString(),
        [ATTRIBUTES.gapDropped]: droppedDocuments,
      }),
    refused: (reason) =>
      log().warn(`${receiver} refuses telemetry for good; \`freshet bootstrap\` installs its templates`, {
        [ATTRIBUTES.exceptionMessage]: reason,
      }),
  }
}
