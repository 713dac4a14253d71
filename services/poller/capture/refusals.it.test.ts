/** A real Elasticsearch behind a proxy that refuses some of its requests for a while, as a server under load does. */
import { once } from 'node:events'
import { createServer, request as forward } from 'node:http'
import type { AddressInfo } from 'node:net'
import { loadSettings } from '@freshet/config/load.ts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { Pipeline } from '../pipeline.kit.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })
const WAIT = { timeout: 60_000, interval: 50 }

interface Refusal {
  readonly of: RegExp
  readonly status: number
  readonly body: string
}

/** Passes everything on but what `refuse` names. */
async function openProxy() {
  const target = new URL(loadSettings({ env: process.env }).elasticsearch.url)
  let refusal: Refusal | undefined
  let refused = 0
  const server = createServer((incoming, outgoing) => {
    if (refusal?.of.test(incoming.url!)) {
      refused++
      outgoing.writeHead(refusal.status, {
        'content-type': 'application/json',
        'x-elastic-product': 'Elasticsearch',
      })
      outgoing.end(refusal.body)
      incoming.resume()
      return
    }
    const { method, url, headers } = incoming
    const { hostname, port } = target
    const passed = forward({ hostname, port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(outgoing)
    })
    passed.on('error', () => outgoing.destroy())
    incoming.pipe(passed)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** @returns how often it has refused, so far */
    refuse(next: Refusal): () => number {
      refusal = next
      refused = 0
      return () => refused
    },
    relent: () => void (refusal = undefined),
    close(): void {
      server.closeAllConnections()
      server.close()
    },
  }
}

let proxy: Awaited<ReturnType<typeof openProxy>>
let pipeline: Pipeline
beforeAll(async () => {
  proxy = await openProxy()
  pipeline = await Pipeline.open({
    FRESHET_ELASTICSEARCH_URL: proxy.url,
    FRESHET_SWEEP_PAUSE_SECONDS: '3600',
  })
  pipeline.startPoller()
  await pipeline.startScorer({ hasS3: false })
})
afterAll(async () => {
  proxy.relent()
  await pipeline[Symbol.asyncDispose]()
  proxy.close()
})

const body = (type: string, status: number) => JSON.stringify({ error: { type, reason: 'not now' }, status })

test.each([
  { what: 'searches', of: /_search/, status: 429, body: body('circuit_breaking_exception', 429) },
  { what: 'searches', of: /_search/, status: 503, body: body('search_phase_execution_exception', 503) },
  { what: 'refreshes', of: /_refresh/, status: 429, body: body('es_rejected_execution_exception', 429) },
  { what: 'statistics', of: /_stats/, status: 503, body: body('master_not_discovered_exception', 503) },
  { what: 'the cluster state', of: /_cluster/, status: 502, body: '<html>Bad Gateway</html>' },
])(
  '$what refused with $status are asked for again, and nothing is missed',
  async ({ what, of, status, body }) => {
    const index = `${pipeline.prefix}${what.replaceAll(' ', '-')}-${status}`
    await pipeline.createIndex(index)
    await pipeline.write(index, { a: { n: 1 } })
    await vi.waitFor(() => expect(pipeline.standing(`${index}/a`)).toBe('lives'), WAIT)
    const refused = proxy.refuse({ of, status, body })
    await pipeline.write(index, { b: { n: 1 }, a: { n: 2 } })
    await vi.waitFor(() => {
      expect(refused()).toBeGreaterThan(2)
      expect(pipeline.status().status).toBe('failing')
    }, WAIT)
    proxy.relent()
    await vi.waitFor(() => {
      expect(pipeline.standing(`${index}/b`)).toBe('lives')
      expect(pipeline.newest.get(`${index}/a`)?.source?.toString()).toBe('{"n":2}')
      expect(pipeline.status().status).toBe('running')
    }, WAIT)
  },
)
