import type { Settings } from '@freshet/config/schema.ts'
import { ATTRIBUTES, SCHEMA_URL } from '@freshet/stage/attributes.ts'
import { type Clock, systemClock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base'
import { connectTelemetry } from './connect.ts'
import { ElasticsearchExporter, type ExporterEvents } from './elasticsearch-exporter.ts'
import { logExporter, spanProcessor } from './exporter-doors.ts'
import type { LogFormat } from './log-line.ts'
import { Logger } from './logger.ts'
import { Metrics } from './metrics.ts'
import { describeResource, VERSION } from './resource.ts'
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
}

/**
 * Lines go to stderr at once; spans and lines go to Elasticsearch when it takes them. A server that is away costs
 * nothing but the telemetry: disposing waits at most 3 s for it.
 */
export function openTelemetry(options: TelemetryOptions): Telemetry {
  const { settings, service, instance, clock = systemClock, format } = options
  const { namespace, logLevel, enabled, maxQueuedBytes } = settings.telemetry
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const resource = describeResource(service, instance)
  const scope = { name: `freshet.${service}`, version: VERSION, schemaUrl: SCHEMA_URL }
  const metrics = new Metrics()
  const stack = new AsyncDisposableStack()

  const on = eventsAsLines(() => log)
  const exporter = enabled
    ? stack.use(
        new ElasticsearchExporter({
          client: stack.use(connectTelemetry(settings)).client,
          maxQueuedBytes,
          metrics,
          clock,
          on,
        }),
      )
    : null
  const log: Log = new Logger({
    level: logLevel,
    format,
    service,
    clock,
    ...(exporter && { exportRecord: logExporter(exporter, { resource, scope, namespace }) }),
  })
  const ids = new ChosenIds()
  const provider = new BasicTracerProvider({
    resource,
    idGenerator: ids,
    spanProcessors: exporter ? [spanProcessor(exporter, namespace)] : [],
  })
  const tracer = provider.getTracer(scope.name, scope.version, { schemaUrl: SCHEMA_URL })
  const { traceOneIn: oneIn, keySalt } = settings.telemetry
  const names = new DocumentNames(settings.pipeline, keySalt)
  return {
    log,
    metrics,
    tracer,
    traced: new TracedDocuments({ tracer, ids, names, oneIn, isOff: exporter === null }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** What the exporter has to say of itself, in the log that it exports. */
function eventsAsLines(log: () => Log): ExporterEvents {
  return {
    unreachable: (error) =>
      log().warn('telemetry waits: Elasticsearch does not take it', {
        [ATTRIBUTES.errorType]: error.code,
        [ATTRIBUTES.exceptionMessage]: error.message,
        [ATTRIBUTES.hint]: error.hint,
      }),
    recovered: ({ fromMs, toMs, droppedDocuments }) =>
      log().info('telemetry flows again', {
        [ATTRIBUTES.gapFrom]: new Date(fromMs).toISOString(),
        [ATTRIBUTES.gapTo]: new Date(toMs).toISOString(),
        [ATTRIBUTES.gapDropped]: droppedDocuments,
      }),
    refused: (reason) =>
      log().warn('Elasticsearch refuses telemetry for good; run `freshet up` to install its templates', {
        [ATTRIBUTES.exceptionMessage]: reason,
      }),
  }
}
