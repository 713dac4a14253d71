import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Client } from '@elastic/elasticsearch'
import { expect, test } from 'vitest'
import { readCheckpoints } from './checkpoints.ts'

/** What is said of an answer of which only the first half has come when `then` is done. */
async function readHalf(then: (response: ServerResponse, stop: AbortController) => void): Promise<unknown> {
  const stop = new AbortController()
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' })
    response.write('{"indices":', () => setImmediate(then, response, stop))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = new Client({ node: `http://127.0.0.1:${port}`, maxRetries: 0 })
  try {
    return await readCheckpoints(client, 'flights', stop.signal).catch((error: unknown) => error)
  } finally {
    await client.close()
    server.closeAllConnections()
    server.close()
  }
}

test('an answer that breaks off in the middle is a server that does not answer', async () => {
  expect(await readHalf((response) => response.destroy())).toMatchObject({
    code: 'ELASTICSEARCH_UNREACHABLE',
  })
})

test('so is one whose second half does not come in time', async () => {
  expect(await readHalf((_, stop) => stop.abort())).toMatchObject({ code: 'ELASTICSEARCH_UNREACHABLE' })
})
