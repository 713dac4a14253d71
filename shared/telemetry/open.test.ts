import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { loadSettings } from '@freshet/config/load.ts'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { openTelemetry } from './open.ts'
import { inSpan } from './spans.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

/** Takes whatever comes. @returns its address, and which paths were asked */
async function listener() {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url!.split('?')[0]!)
    request.resume().on('end', () => response.end('{}'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

async function tellAll(elasticsearchUrl: string) {
  const settings = loadSettings({
    env: { FRESHET_ELASTICSEARCH_URL: elasticsearchUrl, FRESHET_HOME: '/nonexistent' },
  })
  await using telemetry = openTelemetry({ settings, service: 'scorer', instance: 'scorer-1', format: 'json' })
  await inSpan(telemetry.tracer, { name: 'work' }, async () => telemetry.log.warn('one row is odd'))
  telemetry.metrics.add('freshet.scorer.scored', 64)
  return telemetry.metrics
}

test('where the standard variables name a collector, all signals go there and none to Elasticsearch', async () => {
  const [collector, elasticsearch] = [await listener(), await listener()]
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url)
  const metrics = await tellAll(elasticsearch.url)
  expect(collector.asked.sort()).toEqual(['/v1/logs', '/v1/metrics', '/v1/traces'])
  expect(elasticsearch.asked).toEqual([])
  expect(metrics.values()['freshet.telemetry.exported']).toBe(3)
})

test('a disabled SDK sends nothing anywhere, and lines are written all the same', async () => {
  const [collector, elasticsearch] = [await listener(), await listener()]
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url)
  vi.stubEnv('OTEL_SDK_DISABLED', 'true')
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  onTestFinished(() => written.mockRestore())
  await tellAll(elasticsearch.url)
  expect(written).toHaveBeenCalledOnce()
  expect([...collector.asked, ...elasticsearch.asked]).toEqual([])
})

test('what OTEL_RESOURCE_ATTRIBUTES says of the process stands in the resource', async () => {
  vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', 'deployment.environment.name=staging,service.namespace=theirs')
  const { describeResource } = await import('./resource.ts')
  const speaker = { service: 'scorer', instance: 'scorer-1', namespace: 'default' }
  expect(describeResource(speaker, true).attributes).toMatchObject({
    'service.name': 'scorer',
    'service.namespace': 'theirs',
    'deployment.environment.name': 'staging',
    'deployment.environment': 'staging',
    'agent.name': 'opentelemetry/nodejs',
  })
})
