import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { S3Door } from './s3-door.ts'

test('what goes through is counted and not changed, and the address that was signed for stays', async () => {
  const heard: { body: string; headers: IncomingHttpHeaders }[] = []
  const server = createServer(async (request, answer) => {
    let body = ''
    for await (const part of request) body += part
    heard.push({ body, headers: request.headers })
    answer
      .writeHead(request.method === 'PUT' ? 200 : 304, { etag: '"e"' })
      .end(request.method === 'PUT' ? 'ok' : '')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await using door = await S3Door.open(`http://127.0.0.1:${port}`)
  const put = await fetch(`${door.url}/bucket/a`, { method: 'PUT', body: 'hello' })
  const get = await fetch(`${door.url}/bucket/a`)
  expect([put.status, await put.text(), get.status, get.headers.get('etag')]).toEqual([200, 'ok', 304, '"e"'])
  expect(heard[0]).toMatchObject({ body: 'hello', headers: { host: new URL(door.url).host } })
  expect(door.traffic).toEqual({ requests: { PutObject: 1, GetObject: 1 }, sentBytes: 5, receivedBytes: 2 })
  server.close()
})

test('a server that is away is a broken connection, not an answer', async () => {
  await using door = await S3Door.open('http://127.0.0.1:1')
  await expect(fetch(`${door.url}/bucket/a`)).rejects.toThrow()
})
