import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { recordedSignals } from '../documents/recorded-signals.kit.ts'
import { OtlpDelivery } from './otlp-delivery.ts'
import { logItem, metricsItem, spanItem } from './otlp-item.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

interface Received {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly bytes: number
}

/** A collector that answers each path with a status; without one it never answers. */
async function collector(statusOf: (path: string) => number | undefined) {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const path = request.url!
    received.push({ path, headers: request.headers, bytes: (await buffer(request)).length })
    const status = statusOf(path)
    if (status === undefined) return
    response.statusCode = status
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  return received
}

const { spans, logs, metrics } = await recordedSignals()
const items = [...spans.map(spanItem), ...logs.map(logItem), metricsItem(metrics)]
const never = new AbortController().signal

test('each signal goes to its path, with the headers of the standard variable', async () => {
  vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'authorization=Bearer%20secret')
  const received = await collector(() => 200)
  const delivery = await new OtlpDelivery().deliver(items, never)
  expect(delivery.written).toHaveLength(items.length)
  expect(received.map(({ path }) => path).sort()).toEqual(['/v1/logs', '/v1/metrics', '/v1/traces'])
  for (const { headers, bytes } of received) {
    expect(headers['authorization']).toBe('Bearer secret')
    expect(headers['content-type']).toBe('application/x-protobuf')
    expect(bytes).toBeGreaterThan(100)
  }
})

test('what a collector calls malformed is given up, and the other signals are not', async () => {
  await collector((path) => (path === '/v1/logs' ? 400 : 200))
  const { written, refused, retry, refusal } = await new OtlpDelivery().deliver(items, never)
  expect([written.length, refused.length, retry.length]).toEqual([spans.length + 1, logs.length, 0])
  expect(refusal).toMatch(/^400 /)
})

test('what a collector does not take now waits', async () => {
  vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '200')
  await collector(() => 503)
  const { retry, error } = await new OtlpDelivery().deliver(items, never)
  expect(retry).toHaveLength(items.length)
  expect(error?.code).toBe('COLLECTOR_UNREACHABLE')
})

test('a stop does not wait for a collector that stands still', async () => {
  const received = await collector(() => undefined)
  const stop = new AbortController()
  const delivering = new OtlpDelivery().deliver(items, stop.signal)
  await vi.waitFor(() => expect(received.length).toBeGreaterThan(0), { timeout: 15_000 })
  stop.abort()
  expect((await delivering).retry).toHaveLength(items.length)
})
