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
  const endpointName = [`${own}_ENDPOINT`, 'OTEL_EXPORTER_OTLP_ENDPOINT'].find(
    (one) => read(one) !== undefined,
  )
  if (exporter === undefined && endpointName === undefined) return 'elasticsearch'
  if (endpointName !== undefined) checkEndpoint(endpointName, read(endpointName)!)
  const protocol = read(`${own}_PROTOCOL`) ?? read('OTEL_EXPORTER_OTLP_PROTOCOL') ?? 'http/protobuf'
  if (protocol !== 'http/protobuf')
    throw new FreshetError(
      'CONFIG_INVALID',
      `OTEL_EXPORTER_OTLP_PROTOCOL is ${protocol}; http/protobuf is spoken here, to a collector's port 4318`,
    )
  return 'collector'
}

/** The SDK would log what it cannot read, and send to 127.0.0.1. The address is not repeated: it may hold a password. */
function checkEndpoint(name: string, address: string): void {
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
    throw new FreshetError(
      'CONFIG_INVALID',
      `${name} is no http or https address, such as http://127.0.0.1:4318`,
    )
}

/** So long an exporter may take by its own variables, all of its tries together. */
export function exportTimeoutMs(env: Environment): number {
  const names = ['', ...SIGNALS.map((signal) => `${signal.toUpperCase()}_`)]
  const set = names
    .map((signal) => Number(env[`OTEL_EXPORTER_OTLP_${signal}TIMEOUT`]))
    .filter((ms) => ms > 0 && ms <= MAX_TIMEOUT_MS)
  return set.length === 0 ? DEFAULT_TIMEOUT_MS : Math.max(...set)
}

/** As OpenTelemetry has it. */
const DEFAULT_TIMEOUT_MS = 10_000
const MAX_TIMEOUT_MS = 3_600_000

/** Unless it is chosen, counters are told as what came: Elasticsearch takes histograms no other way. */
export function temporalityOf(env: Environment): AggregationTemporality {
  const preference = env['OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE']?.trim().toLowerCase()
  return preference === 'cumulative' ? AggregationTemporality.CUMULATIVE : AggregationTemporality.DELTA
}

/** A timer for longer fires at once. */
const MAX_INTERVAL_MS = 2 ** 31 - 1

/**
 * @returns undefined when nothing is said
 * @throws CONFIG_INVALID for what is no time
 */
export function metricIntervalMs(env: Environment): number | undefined {
  const text = env['OTEL_METRIC_EXPORT_INTERVAL']?.trim() || undefined
  if (text === undefined) return undefined
  const ms = Number(text)
  if (Number.isInteger(ms) && ms > 0 && ms <= MAX_INTERVAL_MS) return ms
  throw new FreshetError(
    'CONFIG_INVALID',
    `OTEL_METRIC_EXPORT_INTERVAL is ${text}; it is a whole number of milliseconds, from 1 to ${MAX_INTERVAL_MS}`,
  )
}
