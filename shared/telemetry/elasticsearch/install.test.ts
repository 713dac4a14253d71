import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { loadSettings } from '@freshet/config/load.ts'
import { expect, onTestFinished, test } from 'vitest'
import { installTemplates } from './template.ts'

interface Asked {
  readonly what: string
  readonly body: unknown
}

/** A server with data streams, of which only that of traces is there already. */
async function largeServer() {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const what = `${request.method} ${request.url}`
    asked.push({ what, body: body === '' ? undefined : JSON.parse(body) })
    response.setHeader('x-elastic-product', 'Elasticsearch')
    response.setHeader('content-type', 'application/json')
    if (/_lifecycle/.test(what) && !what.includes('traces')) response.statusCode = 404
    response.end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

test('bootstrap tells data streams how long to keep, also those that are there already', async () => {
  const { url, asked } = await largeServer()
  const env = {
    FRESHET_HOME: '/nonexistent',
    FRESHET_ELASTICSEARCH_URL: url,
    FRESHET_TELEMETRY_RETENTION_TRACES_DAYS: '3',
  }
  await installTemplates(loadSettings({ env }), Date.now())
  const bodyOf = (what: string) => asked.find((one) => one.what === what)?.body
  expect(bodyOf('PUT /_index_template/freshet-traces')).toMatchObject({
    data_stream: {},
    template: { lifecycle: { data_retention: '3d' } },
  })
  for (const signal of ['logs', 'metrics'])
    expect(bodyOf(`PUT /_index_template/freshet-${signal}`)).toMatchObject({
      template: { lifecycle: { data_retention: '30d' } },
    })
  expect(bodyOf('PUT /_data_stream/traces-freshet.otel-default/_lifecycle')).toEqual({ data_retention: '3d' })
  expect(asked.filter(({ what }) => what.startsWith('DELETE'))).toEqual([])
})
