import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { connect } from 'node:tls'
import { FreshetClient } from '@freshet/client/client.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { expect, onTestFinished, test } from 'vitest'
import type { Live } from '../../live/live-rung.ts'
import { problemReply } from '../../problem-reply.ts'
import { selfSigned } from '../certificate.kit.ts'
import {
  dial,
  KEY,
  plainServer,
  prediction,
  request,
  say,
  statusesIn,
  twoWays,
  withKey,
} from './plain.kit.ts'

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

test('a body behind its head is plain; one that is late is not, and is answered', async () => {
  const [head, rest] = prediction('{"document":{"a":1},"key":"k"}').split('"document"') as [string, string]
  await using patient = await plainServer({})
  const soon = await dial(patient)
  soon.socket.write(head)
  await new Promise((resolve) => setTimeout(resolve, 20))
  soon.socket.write(`"document"${rest}`)
  await expect.poll(() => statusesIn(soon.received())).toEqual(['200'])
  expect(patient.plain()).toBe(1)
  await using impatient = await plainServer({ restWithinMs: 1 })
  const late = await dial(impatient)
  late.socket.write(head)
  await new Promise((resolve) => setTimeout(resolve, 20))
  late.socket.write(`"document"${rest}`)
  await expect.poll(() => statusesIn(late.received())).toEqual(['200'])
  expect(impatient.plain()).toBe(0)
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

test('callers that hang up leave nothing in hand: in the middle of a request, and while it is answered', async () => {
  const held = Promise.withResolvers<Live>()
  await using ways = await twoWays({ live: () => held.promise })
  const beginning = await dial(ways.both)
  beginning.socket.write(prediction('{"document":{"a":1}}').slice(0, -3))
  beginning.socket.resetAndDestroy()
  const waiting = await dial(ways.both)
  waiting.socket.write(prediction('{"document":{"a":1}}'))
  await expect.poll(() => ways.inHand.count).toBe(1)
  waiting.socket.resetAndDestroy()
  await expect.poll(() => ways.inHand.count).toBe(0)
  held.resolve({ kind: 'unable', reason: 'live_late' })
  expect(await say(ways.both, request('/v1/scores/a', withKey))).toContain('HTTP/1.1 200')
  expect(ways.inHand.count).toBe(0)
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

test('a server that stops answers what it has in hand and what is still asked, and lets idle connections go', async () => {
  const held = Promise.withResolvers<Live>()
  const ways = await twoWays({ live: () => held.promise })
  const idle = await dial(ways.both)
  const waiting = await dial(ways.both)
  waiting.socket.write(prediction('{"document":{"a":1}}'))
  const asking = await dial(ways.both)
  asking.socket.write(request('/v1/scores/a', withKey))
  await expect.poll(() => statusesIn(asking.received())).toEqual(['200'])
  await expect.poll(() => ways.inHand.count).toBe(1)
  const stopped = ways[Symbol.asyncDispose]()
  asking.socket.write(request('/v1/scores/b', withKey))
  await Promise.all([idle.closed, asking.closed])
  expect(statusesIn(asking.received())).toEqual(['200', '200'])
  expect(asking.received()).toMatch(/connection: close/i)
  held.resolve({ kind: 'unable', reason: 'live_late' })
  await Promise.all([waiting.closed, stopped])
  expect(statusesIn(waiting.received())).toEqual(['200'])
})

test('connections that nobody uses are let go: soon when they were never asked anything', async () => {
  await using server = await plainServer({
    headersTimeout: 20,
    keepAliveTimeout: 500,
    connectionsCheckingInterval: 10,
  })
  const used = await dial(server)
  used.socket.write(request('/v1/scores/a', withKey))
  await expect.poll(() => statusesIn(used.received())).toEqual(['200'])
  await (await dial(server)).closed
  expect(used.socket.destroyed).toBe(false)
  await used.closed
})

/** A connection whose caller reads nothing. */
class Unread extends Duplex {
  readonly destroySoon = Socket.prototype.destroySoon
  override _read() {}
  override _write() {}
}

test('a caller that does not read its last answer is let go, too', async () => {
  const times = { headersTimeout: 50, keepAliveTimeout: 20, connectionsCheckingInterval: 10 }
  await using server = await plainServer(times)
  const unread = new Unread()
  server.server.emit('connection', unread as unknown as Socket)
  unread.push(request('/v1/scores/a', withKey))
  await expect.poll(() => unread.writableEnded).toBe(true)
  const { plain } = server
  const listeners = unread.listenerCount('finish')
  await once(unread, 'close')
  expect([plain(), listeners]).toEqual([1, 1])
})

test('a loop that stands still makes nothing late that has come', async () => {
  await using server = await plainServer({ restWithinMs: 5 })
  const [head, rest] = prediction('{"document":{"a":1},"key":"k"}').split('"document"') as [string, string]
  const { socket, received } = await dial(server)
  socket.write(head)
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  socket.write(`"document"${rest}`)
  for (const end = performance.now() + 30; performance.now() < end; );
  await expect.poll(() => statusesIn(received())).toEqual(['200'])
  expect(server.plain()).toBe(1)
})

test('over TLS, too, what is plain takes the short way and the rest does not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-plain-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const { cert, files } = selfSigned(folder, 'gateway')
  await using ways = await twoWays({ tls: files })
  const socket = connect({ port: Number(new URL(ways.both.url).port), host: '127.0.0.1', ca: cert })
  let received = ''
  socket.setEncoding('utf8').on('data', (text: unknown) => {
    received += String(text)
  })
  socket.write(request('/v1/scores/a', withKey))
  await expect.poll(() => statusesIn(received)).toEqual(['200'])
  socket.write(request('/healthz') + request('/v1/scores/x', withKey))
  await expect.poll(() => statusesIn(received)).toEqual(['200', '200', '404'])
  expect(ways.plain()).toBe(1)
  socket.destroy()
})

test("the client's own calls are plain", async () => {
  await using ways = await twoWays()
  using client = new FreshetClient({ url: ways.both.url, apiKey: KEY, deadlineMs: 5_000 })
  expect(await client.lookup('flights/UA-1')).toMatchObject({ source: 'cache' })
  expect(await client.lookup('..')).toMatchObject({ source: 'cache' })
  expect(await client.predict({ a: 1 })).toMatchObject({ source: 'live' })
  expect(ways.plain()).toBe(3)
})
