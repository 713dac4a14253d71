import { FreshetError } from '@freshet/errors/errors.ts'
import { type ExportResult, ExportResultCode } from '@opentelemetry/core'
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import type { Delivery } from '../outbox/delivery.ts'
import type { OtlpItem } from './otlp-item.ts'
import { exportTimeoutMs } from './variables.ts'

/** The exporter is to speak first: it knows more of what went wrong. */
const GRACE_MS = 1_000

/** OpenTelemetry's own exporters, which read the OTEL_ variables by themselves. */
export class OtlpDelivery {
  readonly #traces = new OTLPTraceExporter()
  readonly #logs = new OTLPLogExporter()
  readonly #metrics = new OTLPMetricExporter()

  async deliver(items: readonly OtlpItem[], signal: AbortSignal): Promise<Delivery<OtlpItem>> {
    const spans = items.filter((item) => item.kind === 'span')
    const records = items.filter((item) => item.kind === 'log')
    const [traces, logs, metrics] = await Promise.all([
      ended(spans, signal, (done) =>
        this.#traces.export(
          spans.map(({ value }) => value),
          done,
        ),
      ),
      ended(records, signal, (done) =>
        this.#logs.export(
          records.map(({ value }) => value),
          done,
        ),
      ),
      this.#deliverMetrics(items, signal),
    ])
    return together([traces, logs, ...metrics])
  }

  /** One collection a request, as the exporter takes them. */
  async #deliverMetrics(items: readonly OtlpItem[], signal: AbortSignal): Promise<Delivery<OtlpItem>[]> {
    const deliveries: Delivery<OtlpItem>[] = []
    for (const item of items)
      if (item.kind === 'metrics')
        deliveries.push(await ended([item], signal, (done) => this.#metrics.export(item.value, done)))
    return deliveries
  }
}

/**
 * The exporter has a time-out of its own (OTEL_EXPORTER_OTLP_TIMEOUT), but for an answer that never ends, and for one that
 * switches to another protocol. A stop waits for neither.
 */
async function ended(
  items: readonly OtlpItem[],
  signal: AbortSignal,
  work: (done: (result: ExportResult) => void) => void,
): Promise<Delivery<OtlpItem>> {
  if (items.length === 0) return { written: [], retry: [], refused: [] }
  const { promise, resolve } = Promise.withResolvers<ExportResult>()
  const stop = (why = 'stopped') => resolve({ code: ExportResultCode.FAILED, error: new Error(why) })
  const limit = setTimeout(() => stop('no answer in time'), exportTimeoutMs(process.env) + GRACE_MS)
  const onAbort = () => stop()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    if (signal.aborted) stop()
    else work(resolve)
    return judge(items, await promise)
  } finally {
    clearTimeout(limit)
    signal.removeEventListener('abort', onAbort)
  }
}

/** What a collector says is wrong with the request itself is not tried again. */
function judge(items: readonly OtlpItem[], { code, error }: ExportResult): Delivery<OtlpItem> {
  if (code === ExportResultCode.SUCCESS) return { written: items, retry: [], refused: [] }
  const message = error?.message ?? 'no reason given'
  const status = (error as { readonly code?: unknown } | undefined)?.code
  if (status === 400 || status === 413 || status === 415)
    return { written: [], retry: [], refused: items, refusal: `${status} ${message}` }
  const cause = new FreshetError('COLLECTOR_UNREACHABLE', `the collector takes no telemetry: ${message}`)
  return { written: [], retry: items, refused: [], error: cause }
}

function together(deliveries: readonly Delivery<OtlpItem>[]): Delivery<OtlpItem> {
  const refusal = deliveries.find((delivery) => delivery.refusal !== undefined)?.refusal
  const error = deliveries.find((delivery) => delivery.error !== undefined)?.error
  return {
    written: deliveries.flatMap(({ written }) => written),
    retry: deliveries.flatMap(({ retry }) => retry),
    refused: deliveries.flatMap(({ refused }) => refused),
    ...(refusal !== undefined && { refusal }),
    ...(error !== undefined && { error }),
  }
}
