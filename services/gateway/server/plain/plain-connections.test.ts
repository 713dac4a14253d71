import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { FreshetError } from '@freshet/errors/errors.ts'
import { expect, onTestFinished, test } from 'vitest'
import { gateway } from '../../app.kit.ts'
import { problemReply } from '../../problem-reply.ts'
import { scoreRoutes } from '../../routes/scores.ts'
import { type Serve, serve } from '../../routes/serve.ts'
import { appListener } from '../app-listener.ts'
import { selfSigned } from '../certificate.kit.ts'
import { HttpServer } from '../http-server.ts'
import { RequestsInHand } from '../requests-in-hand.ts'
import { dial, KEY, prediction, request, say, statusesIn, twoWays, withKey } from './plain.kit.ts'
import { PlainConnections } from './plain-connections.ts'

test('requests that do not wait for their answers get them in their order, whatever they are', async () => {
  await using ways = await twoWays()
  const { socket, received } = await dial(ways.both)
  const lookUp = (key: string) => request(`/v1/scores/${key}`, withKey)
  socket.write(
    lookUp('first') + prediction('{"document":{"a":1},"key":"second"}') + lookUp('third') + lookUp('x'),
  )
  await expect.poll(() => statusesIn(received())).toEqual(['200', '200', '200', '404'])
  expect(received().match(/(?<="key":")\w+/g)).toEqual(['first', 'second', 'third'])
  expect(ways.plain()).toBe(1)
  socket.write(lookUp('fourth'))
  await expect.poll(() => received()).toContain('"key":"fourth"')
  socket.destroy()
})

test('one that is asked for while another is answered waits, also for the end of the connection', async () => {
  await using ways = await twoWays()
  const { socket, received, closed } = await dial(ways.both)
  socket.write(prediction('{"document":{"a":1},"key":"first"}'))
  socket.end(prediction('{"document":{"a":1},"key":"second"}'))
  await closed
  expect(received().match(/(?<="key":")\w+/g)).toEqual(['first', 'second'])
})

test('a body right behind its head is plain, one that is late is not, and both are answered', async () => {
  await using ways = await twoWays()
  const [head, body] = prediction('{"document":{"a":1},"key":"k"}').split('{"document"')
  const { socket, received } = await dial(ways.both)
  socket.setNoDelay().write(`${head}`)
  socket.write(`{"document"${body}`)
  await expect.poll(() => statusesIn(received())).toEqual(['200'])
  socket.write(`${head}`)
  await new Promise((resolve) => setTimeout(resolve, 50))
  socket.write(`{"document"${body}`)
  await expect.poll(() => statusesIn(received())).toEqual(['200', '200'])
  expect(ways.plain()).toBeLessThan(2)
  socket.destroy()
})

test('who says no more is answered, and then let go', async () => {
  await using ways = await twoWays()
  const { socket, received, closed } = await dial(ways.both)
  socket.end(prediction('{"document":{"a":1}}'))
  await closed
  expect(statusesIn(received())).toEqual(['200'])
  const broken = await dial(ways.both)
  broken.socket.end(prediction('{"document":{"a":1}}').slice(0, -3))
  await broken.closed
  expect(statusesIn(broken.received())).toEqual(['400'])
  expect(broken.received()).toContain('REQUEST_INVALID')
})

test('callers that hang up leave nothing in hand, before and while they are answered', async () => {
  await using ways = await twoWays()
  for (const sent of [prediction('{"document":{"a":1}}').slice(0, -3), prediction('{"document":{"a":1}}')]) {
    const { socket, closed } = await dial(ways.both)
    socket.write(sent)
    socket.resetAndDestroy()
    await closed
  }
  expect(statusesIn(await say(ways.both, request('/v1/scores/a', withKey)))).toEqual(['200'])
  await expect.poll(() => ways.inHand.count).toBe(0)
})

test('what the door refuses is told so, and counts as nothing in hand', async () => {
  const refusal = problemReply(new FreshetError('OVERLOADED', 'too much'))
  await using ways = await twoWays({ admit: () => refusal })
  expect(await say(ways.both, request('/v1/scores/a', withKey))).toMatch(
    /^HTTP\/1\.1 503 [\s\S]*retry-after: 1[\s\S]*OVERLOADED/,
  )
  expect(ways.inHand.count).toBe(0)
  expect(ways.plain()).toBe(0)
})

test('a server that stops lets idle connections go, and answers what is still asked on others', async () => {
  const ways = await twoWays()
  const idle = await dial(ways.both)
  const asking = await dial(ways.both)
  asking.socket.write(request('/v1/scores/a', withKey))
  await expect.poll(() => statusesIn(asking.received())).toEqual(['200'])
  const stopped = ways[Symbol.asyncDispose]()
  asking.socket.write(request('/v1/scores/b', withKey))
  await Promise.all([idle.closed, asking.closed, stopped])
  expect(statusesIn(asking.received())).toEqual(['200', '200'])
  expect(asking.received()).toMatch(/connection: close/i)
})

test('connections that nobody uses are let go: soon when they were never asked anything', async () => {
  const { parts } = gateway({ key: KEY })
  const [lookup] = scoreRoutes(parts)
  const route = serve(lookup, parts)
  const server = createServer()
  using _plain = new PlainConnections(
    server,
    'connection',
    {
      routes: { lookup: route, predict: route },
      intake: { admit: () => performance.now() },
      inHand: new RequestsInHand(),
    },
    { headersTimeout: 20, keepAliveTimeout: 2_000, connectionsCheckingInterval: 10 },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const at = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } as HttpServer
  const used = await dial(at)
  used.socket.write(request('/v1/scores/a', withKey))
  await expect.poll(() => statusesIn(used.received())).toEqual(['404'])
  await (await dial(at)).closed
  expect(used.socket.destroyed).toBe(false)
  await used.closed
  await new Promise((resolve) => server.close(resolve))
})

test('over TLS, too, what is plain takes the short way and the rest does not', async () => {
  const { parts, app } = gateway({ key: KEY })
  let plain = 0
  const [lookup] = scoreRoutes(parts)
  const route: Serve = (...request) => {
    plain++
    return serve(lookup, parts)(...request)
  }
  const inHand = new RequestsInHand()
  const folder = mkdtempSync(join(tmpdir(), 'freshet-plain-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const { cert, files } = selfSigned(folder, 'gateway')
  await using server = await HttpServer.listen(
    appListener(app),
    { host: '127.0.0.1', port: 0, tls: files },
    {
      plain: {
        routes: { lookup: route, predict: route },
        intake: { admit: () => performance.now() },
        inHand,
      },
    },
  )
  const socket = connect({ port: Number(new URL(server.url).port), host: '127.0.0.1', ca: cert })
  let received = ''
  socket.setEncoding('utf8').on('data', (text: unknown) => {
    received += String(text)
  })
  socket.write(request('/v1/scores/a', withKey))
  await expect.poll(() => statusesIn(received)).toEqual(['404'])
  socket.write(request('/healthz') + request('/v1/scores/a', withKey))
  await expect.poll(() => statusesIn(received)).toEqual(['404', '200', '404'])
  expect(plain).toBe(1)
  socket.destroy()
})
