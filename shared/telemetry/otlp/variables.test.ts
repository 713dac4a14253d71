import { AggregationTemporality } from '@opentelemetry/sdk-metrics'
import { expect, test } from 'vitest'
import { exportTimeoutMs, metricIntervalMs, temporalityOf, waysOf } from './variables.ts'

const all = (way: string) => ({ traces: way, logs: way, metrics: way })

test('without any of the standard variables, all goes straight to Elasticsearch', () => {
  expect(waysOf({})).toEqual(all('elasticsearch'))
  expect(waysOf({ OTEL_SERVICE_NAME: 'x', OTEL_EXPORTER_OTLP_ENDPOINT: ' ' })).toEqual(all('elasticsearch'))
})

test('an endpoint sends all to a collector, one for a signal only that signal', () => {
  expect(waysOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' })).toEqual(all('collector'))
  expect(waysOf({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces' })).toEqual({
    ...all('elasticsearch'),
    traces: 'collector',
  })
})

test('an exporter by name needs no endpoint, none sends nothing, and a disabled SDK neither', () => {
  expect(waysOf({ OTEL_METRICS_EXPORTER: 'otlp', OTEL_LOGS_EXPORTER: 'none' })).toEqual({
    traces: 'elasticsearch',
    logs: 'nowhere',
    metrics: 'collector',
  })
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }
  expect(waysOf({ ...endpoint, OTEL_SDK_DISABLED: 'TRUE' })).toEqual(all('nowhere'))
})

test('what is asked for and cannot be done is said at the start, not found out later', () => {
  expect(() => waysOf({ OTEL_TRACES_EXPORTER: 'zipkin' })).toThrow(/OTEL_TRACES_EXPORTER is zipkin/)
  const grpc = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4317', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }
  expect(() => waysOf(grpc)).toThrow(/http\/protobuf/)
  expect(waysOf({ ...grpc, OTEL_SDK_DISABLED: 'true' })).toEqual(all('nowhere'))
})

test('counters are told as what came, unless it is chosen otherwise', () => {
  const name = 'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE'
  expect(temporalityOf({})).toBe(AggregationTemporality.DELTA)
  expect(temporalityOf({ [name]: 'Cumulative' })).toBe(AggregationTemporality.CUMULATIVE)
  expect(metricIntervalMs({ OTEL_METRIC_EXPORT_INTERVAL: '5000' })).toBe(5_000)
  expect(metricIntervalMs({ OTEL_METRIC_EXPORT_INTERVAL: ' ' })).toBeUndefined()
})

test.each(['nope', 'ftp://127.0.0.1', '127.0.0.1:4318'])('an endpoint %s is none', (endpoint) => {
  expect(() => waysOf({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })).toThrow(
    /OTEL_EXPORTER_OTLP_ENDPOINT is no http/,
  )
  expect(() => waysOf({ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: endpoint })).toThrow(
    /OTLP_LOGS_ENDPOINT is no http/,
  )
})

test.each(['soon', '0', '-1', '1.5', '2147483648'])('an interval of %s is none', (interval) => {
  expect(() => metricIntervalMs({ OTEL_METRIC_EXPORT_INTERVAL: interval })).toThrow(
    /whole number of milliseconds/,
  )
})

test('the longest time-out of all signals is the one that an export may take', () => {
  expect(exportTimeoutMs({})).toBe(10_000)
  expect(exportTimeoutMs({ OTEL_EXPORTER_OTLP_TIMEOUT: '200' })).toBe(200)
  const own = { OTEL_EXPORTER_OTLP_TIMEOUT: '200', OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: '30000' }
  expect(exportTimeoutMs(own)).toBe(30_000)
  expect(exportTimeoutMs({ OTEL_EXPORTER_OTLP_TIMEOUT: 'soon' })).toBe(10_000)
})
