import { FreshetError } from '@freshet/errors/errors.ts'
import { AggregationTemporality } from '@opentelemetry/sdk-metrics'
import { SIGNALS } from '../documents/document.ts'

type Signal = (typeof SIGNALS)[number]

/** Where a signal goes. */
export type Way = 'elasticsearch' | 'collector' | 'nowhere'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * What OpenTelemetry's standard variables say of where signals go: OTEL_SDK_DISABLED, OTEL_<SIGNAL>_EXPORTER,
 * OTEL_EXPORTER_OTLP_ENDPOINT and its like for one signal. Without any of them: straight to Elasticsearch. The other
 * variables (headers, time-outs, compression, certificates, limits, sampling) are read by the SDK itself.
 * @throws CONFIG_INVALID for what this program cannot do
 */
export function waysOf(env: Environment): Readonly<Record<Signal, Way>> {
  const isDisabled = env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true'
  const ways = SIGNALS.map((signal) => [signal, isDisabled ? 'nowhere' : wayOf(signal, env)])
  return Object.fromEntries(ways) as Record<Signal, Way>
}

function wayOf(signal: Signal, env: Environment): Way {
  const name = `OTEL_${signal.toUpperCase()}_EXPORTER`
  const own = `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}`
  const read = (variable: string) => env[variable]?.trim() || undefined
  const exporter = read(name)
  if (exporter === 'none') return 'nowhere'
  if (exporter !== undefined && exporter !== 'otlp')
    throw new FreshetError('CONFIG_INVALID', `${name} is ${exporter}; otlp and none are known here`)
  const hasEndpoint = (read(`${own}_ENDPOINT`) ?? read('OTEL_EXPORTER_OTLP_ENDPOINT')) !== undefined
  if (exporter === undefined && !hasEndpoint) return 'elasticsearch'
  const protocol = read(`${own}_PROTOCOL`) ?? read('OTEL_EXPORTER_OTLP_PROTOCOL') ?? 'http/protobuf'
  if (protocol !== 'http/protobuf')
    throw new FreshetError(
      'CONFIG_INVALID',
      `OTEL_EXPORTER_OTLP_PROTOCOL is ${protocol}; http/protobuf is spoken here, to a collector's port 4318`,
    )
  return 'collector'
}

/** Unless it is chosen, counters are told as what came: Elasticsearch takes histograms no other way. */
export function temporalityOf(env: Environment): AggregationTemporality {
  const preference = env['OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE']?.trim().toLowerCase()
  return preference === 'cumulative' ? AggregationTemporality.CUMULATIVE : AggregationTemporality.DELTA
}

/** @returns undefined when nothing usable is said */
export function metricIntervalMs(env: Environment): number | undefined {
  const ms = Number(env['OTEL_METRIC_EXPORT_INTERVAL'])
  return Number.isInteger(ms) && ms > 0 ? ms : undefined
}
