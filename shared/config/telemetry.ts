import { z } from 'zod'
import { secret } from './secret.ts'
import { serverAddress } from './server-address.ts'
import { telemetryDocumentsShape } from './telemetry-documents.ts'

const days = (byDefault: number) => z.int().min(1).max(3_650).default(byDefault)

/** What a service tells of itself, where it goes and how long it stays there. */
export const telemetrySchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe(
        'Send traces, logs and metrics: to Elasticsearch, or where the OTEL_ variables say (docs/telemetry.md).',
      ),
    logLevel: z
      .enum(['debug', 'info', 'warn', 'error'])
      .default('info')
      .describe('Lines below this level are neither written nor sent.'),
    url: serverAddress(/^https?$/)
      .optional()
      .describe(
        'Elasticsearch for telemetry, with telemetry.apiKey; else elasticsearch.url, with elasticsearch.apiKey.',
      ),
    apiKey: secret.optional().describe('Encoded API key for telemetry.url; without that it is not used.'),
    namespace: z
      .string()
      .regex(/^[a-z0-9_.]+$/)
      .default('default')
      .describe('Namespace of the data streams.'),
    metricsEverySeconds: z
      .int()
      .min(1)
      .max(3_600)
      .default(15)
      .describe('Time between two documents of the same metric.'),
    apmFields: z
      .boolean()
      .default(true)
      .describe(
        'Write the attributes that Kibana’s APM views look for beside OpenTelemetry’s own: about twelve more a span.',
      ),
    retention: z
      .strictObject({
        tracesDays: days(7).describe('Spans are kept so long.'),
        logsDays: days(30).describe('Logs are kept so long.'),
        metricsDays: days(30).describe('Metrics are kept so long.'),
      })
      .prefault({})
      .describe(
        'Put into force by `freshet bootstrap`; where the server has no data streams, kept by the watchdog.',
      ),
    requestShare: z
      .number()
      .min(0)
      .max(1)
      .default(0.01)
      .describe(
        'Share of the gateway’s good answers that leave a span; degraded, late and failed ones all do; of either as far as telemetry.requestSpansPerSecond goes.',
      ),
    requestSpansPerSecond: z
      .int()
      .min(1)
      .max(100_000)
      .default(100)
      .describe(
        'Most spans a second of good answers, and as many of degraded, late and failed ones: at many thousand requests a second, and while a store is away, spans would cost more than answers. What is held back is counted in freshet.requests.untraced.',
      ),
    batchSpansPerSecond: z
      .int()
      .min(1)
      .max(100_000)
      .default(20)
      .describe(
        'Micro-batches a second of each worker of a scorer that have a span, with spans of their steps below: under load there are hundreds, whose spans cost Elasticsearch half as much as scoring costs. How long all of them take is counted; those without a span are counted in freshet.batches.untraced.',
      ),
    ...telemetryDocumentsShape,
    maxQueuedBytes: z
      .int()
      .min(65_536)
      .default(8 * 1024 * 1024)
      .describe('Telemetry waiting for Elasticsearch; beyond it what is worth least is dropped and counted.'),
  })
  .prefault({})
