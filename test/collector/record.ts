/**
 * Records what the real OpenTelemetry Collector writes of our signals: starts it between a program that sends them (this
 * one, with OpenTelemetry's own exporters) and a server that takes `_bulk` requests as Elasticsearch does, and keeps their
 * documents. `node test/collector/record.ts <collector> > shared/telemetry/documents/golden/collector-<version>.ndjson`
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createGunzip } from 'node:zlib'
import { recordedSignals } from '@freshet/telemetry/documents/recorded-signals.kit.ts'
import { OtlpDelivery } from '@freshet/telemetry/otlp/otlp-delivery.ts'
import { logItem, metricsItem, spanItem } from '@freshet/telemetry/otlp/otlp-item.ts'
import { until } from '../until.ts'

const OTLP_PORT = 14_318
const program = process.argv[2]
if (program === undefined) throw new Error('name the program of the collector')

const documents: string[] = []
const server = createServer(async (request, response) => {
  const body = await text(
    request.headers['content-encoding'] === 'gzip' ? request.pipe(createGunzip()) : request,
  )
  response.setHeader('x-elastic-product', 'Elasticsearch')
  response.setHeader('content-type', 'application/json')
  const lines = body.split('\n').filter((line) => line !== '')
  for (let at = 0; at + 1 < lines.length; at += 2) {
    const action = JSON.parse(lines[at]!) as { create: { _index: string; dynamic_templates?: object } }
    const { _index: index, dynamic_templates } = action.create
    documents.push(
      JSON.stringify({
        index,
        ...(dynamic_templates && { dynamic_templates }),
        document: JSON.parse(lines[at + 1]!),
      }),
    )
  }
  response.end(
    JSON.stringify({
      errors: false,
      items: lines.filter((_, at) => at % 2 === 0).map(() => ({ create: { status: 201 } })),
    }),
  )
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address() as AddressInfo

const config = join(mkdtempSync(join(tmpdir(), 'freshet-collector-')), 'config.yaml')
writeFileSync(
  config,
  `
receivers: { otlp: { protocols: { http: { endpoint: 127.0.0.1:${OTLP_PORT} } } } }
exporters: { elasticsearch: { endpoints: ["http://127.0.0.1:${port}"] } }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    traces: { receivers: [otlp], exporters: [elasticsearch] }
    logs: { receivers: [otlp], exporters: [elasticsearch] }
    metrics: { receivers: [otlp], exporters: [elasticsearch] }
`,
)
const collector = spawn(program, ['--config', config], { stdio: ['ignore', 'inherit', 'inherit'] })
try {
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${OTLP_PORT}`
  const { spans, logs, metrics } = await recordedSignals()
  const items = [...spans.map(spanItem), ...logs.map(logItem), metricsItem(metrics)]
  const delivery = new OtlpDelivery()
  await until(
    'the collector takes all',
    async () => (await delivery.deliver(items, AbortSignal.timeout(20_000))).written.length === items.length,
  )
  const events = spans.reduce((sum, span) => sum + span.events.length, 0)
  await until(
    'spans, events and logs are written',
    async () =>
      documents.filter((line) => !line.includes('"metrics-')).length >= spans.length + events + logs.length,
  )
  await until('metrics are written', async () => documents.some((line) => line.includes('"metrics-')))
} finally {
  collector.kill('SIGTERM')
  server.close()
}
process.stdout.write(`${documents.sort().join('\n')}\n`)
