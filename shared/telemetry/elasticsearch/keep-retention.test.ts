import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { loadSettings } from '@freshet/config/load.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, onTestFinished, test, vi } from 'vitest'
import { keepRetention } from './retention.ts'

/** A server that has these indices, and data streams or not. */
async function serverWith(names: readonly string[], { dataStreams }: { readonly dataStreams: boolean }) {
  const deleted: string[] = []
  const behaviour = { status: 200 } // of what lists indices
  const server = createServer((request, response) => {
    response.setHeader('x-elastic-product', 'Elasticsearch')
    response.setHeader('content-type', 'application/json')
    if (request.method === 'DELETE') deleted.push(decodeURIComponent(request.url!.slice(1)))
    if (request.url!.startsWith('/_data_stream') && !dataStreams) response.statusCode = 405
    if (request.url!.startsWith('/_cat/')) response.statusCode = behaviour.status
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
    ...{ deleted, behaviour },
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

test('that nothing can be deleted is said once, until it can', async () => {
  const { behaviour, deleted, settings } = await serverWith(NAMES, { dataStreams: false })
  behaviour.status = 403
  const log = { ...quietLog, warn: vi.fn(), info: vi.fn() }
  const stop = new AbortController()
  let hours = 0
  const hourly = {
    nowMs: clock.nowMs,
    async sleep() {
      if (++hours === 3) behaviour.status = 200
      if (hours === 5) stop.abort()
    },
  }
  await keepRetention(settings, { clock: hourly, log, signal: stop.signal })
  expect(deleted).toEqual([NAMES[0]])
  expect(log.warn.mock.calls).toEqual([
    [expect.stringMatching(/not deleted/), expect.objectContaining({ 'error.type': expect.any(String) })],
  ])
  expect(log.info.mock.calls.map(([text]) => text)).toEqual([
    'telemetry that is too old is deleted again',
    expect.stringContaining(NAMES[0]!),
  ])
})
