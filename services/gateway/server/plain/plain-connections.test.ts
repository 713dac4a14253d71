import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { connect } from 'node:tls'
import { FreshetClient } from '@freshet/client/client.ts'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Live } from '../../live/live-rung.ts'
import { selfSigned } from '../certificate.kit.ts'
import {
  dial,
  KEY,
  plainServer,
  prediction,
  request,
  say,
  statusesIn,
  turnsUntil,
  twoWays,
  withKey,
} from './plain.kit.ts'

/** A prediction whose body comes in two. */
function inPieces(body: string): [string, string] {
  const asked = prediction(body)
  return [asked.slice(0, -8), asked.slice(-8)]
}

function standStill(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

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
  const [head, rest] = inPieces('{"document":{"a":1},"key":"k"}')
  await using patient = await plainServer({})
  const soon = await dial(patient)
  soon.socket.write(head)
  await expect.poll(patient.bytesRead).toBe(head.length)
  soon.socket.write(rest)
  await expect.poll(() => statusesIn(soon.received())).toEqual(['200'])
  expect([patient.plain(), patient.handedOver()]).toEqual([1, 0])
  await using impatient = await plainServer({ restWithinMs: 1 })
  const late = await dial(impatient)
  late.socket.write(head)
  await expect.poll(impatient.handedOver).toBe(1)
  late.socket.write(rest)
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
  const closed = once(unread, 'close')
  server.server.emit('connection', unread as unknown as Socket)
  unread.push(request('/v1/scores/a', withKey))
  await closed
  expect([server.plain(), unread.writableEnded, unread.listenerCount('finish')]).toEqual([1, true, 1])
})

test('a caller that does not read its answers and asks on is left to node:http, which bounds what it is owed', async () => {
  await using server = await plainServer({})
  const unread = new Unread({ writableHighWaterMark: 1 })
  server.server.emit('connection', unread as unknown as Socket)
  unread.push(request('/v1/scores/a', withKey))
  await expect.poll(() => unread.writableNeedDrain).toBe(true)
  unread.push(request('/v1/scores/b', withKey))
  await expect.poll(server.handedOver).toBe(1)
  expect(server.plain()).toBe(1)
  unread.destroy()
})

test('a loop that stands still makes nothing late that has come', async () => {
  const inPhaseOfTimers = setTimeout
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  await using server = await plainServer({ restWithinMs: 5 })
  const [head, rest] = inPieces('{"document":{"a":1},"key":"k"}')
  const { socket, received } = await dial(server)
  socket.write(head)
  await turnsUntil(() => server.bytesRead() === head.length)
  inPhaseOfTimers(() => {
    socket.write(rest)
    standStill(30)
    vi.advanceTimersByTime(5)
  }, 0)
  await turnsUntil(() => statusesIn(received()).length === 1)
  expect([server.plain(), server.handedOver()]).toEqual([1, 0])
})

test('what comes while the loop stands still has waited for as long', async () => {
  await using ways = await twoWays()
  for (const { server } of ways.each) {
    const { socket, received } = await dial(server)
    setTimeout(() => {
      socket.write(request('/v1/scores/a', withKey))
      standStill(80)
    }, 1)
    await expect.poll(() => statusesIn(received())).toEqual(['200'])
    expect(Number(/(?<=total;dur=)[\d.]+/.exec(received())?.[0])).toBeGreaterThan(60)
    socket.destroy()
  }
  expect(ways.plain()).toBe(1)
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
