import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { loadSettings } from '@freshet/config/load.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, onTestFinished, test } from 'vitest'
import { keepRetention } from './retention.ts'

/** A server that has these indices, and data streams or not. */
async function serverWith(names: readonly string[], { dataStreams }: { readonly dataStreams: boolean }) {
  const deleted: string[] = []
  const server = createServer((request, response) => {
    response.setHeader('x-elastic-product', 'Elasticsearch')
    response.setHeader('content-type', 'application/json')
    if (request.method === 'DELETE') deleted.push(decodeURIComponent(request.url!.slice(1)))
    if (request.url!.startsWith('/_data_stream') && !dataStreams) response.statusCode = 405
    const rows = names.filter((name) => !deleted.includes(name)).map((index) => ({ index }))
    response.end(request.url!.startsWith('/_cat/') ? JSON.stringify(rows) : '{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    deleted,
    settings: loadSettings({ env: { FRESHET_HOME: '/nonexistent', FRESHET_ELASTICSEARCH_URL: url } }),
  }
}

const NAMES = ['traces-freshet.otel-default-2026.11.01', 'logs-freshet.otel-default-2026.11.01']
const clock = handClock(Date.UTC(2026, 10, 24))

test('a watchdog deletes what is too old, and stops when it is told to', async () => {
  const { deleted, settings } = await serverWith(NAMES, { dataStreams: false })
  const stop = new AbortController()
  const keeping = keepRetention(settings, { clock, log: quietLog, signal: stop.signal })
  await expect.poll(() => deleted).toEqual([NAMES[0]])
  stop.abort()
  await keeping
})

test('a server that keeps retention by itself is left alone', async () => {
  const { deleted, settings } = await serverWith(NAMES, { dataStreams: true })
  await keepRetention(settings, { clock, log: quietLog, signal: new AbortController().signal })
  expect(deleted).toEqual([])
})
