import { once } from 'node:events'
import { connect } from 'node:net'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { appListener } from './app-listener.ts'
import { HttpServer } from './http-server.ts'
import { RequestsInHand } from './requests-in-hand.ts'

const GET = 'GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n'

/** An app that answers when the test says so. */
function handApp() {
  const release = Promise.withResolvers<void>()
  const app = new Hono()
  app.get('/', async () => {
    await release.promise
    return new Response('answered')
  })
  return { app, release }
}

async function socketTo(server: HttpServer) {
  const { port } = new URL(server.url)
  const socket = connect(Number(port), '127.0.0.1').setEncoding('latin1')
  let received = ''
  socket.on('data', (text: unknown) => {
    received += String(text)
  })
  await once(socket, 'connect')
  return { socket, received: () => received }
}

const answersIn = (text: string) => text.split('answered').length - 1

test('some requests may be on their way at once on one connection, and are answered in turn', async () => {
  const { app, release } = handApp()
  await using server = await HttpServer.listen(appListener(app), { host: '127.0.0.1', port: 0 })
  const { socket, received } = await socketTo(server)
  socket.write(GET.repeat(64))
  release.resolve()
  await expect.poll(() => answersIn(received())).toBe(64)
  socket.write(GET.repeat(64))
  await expect.poll(() => answersIn(received())).toBe(128)
  socket.destroy()
})

test('a client that sends requests without end and reads nothing is cut off at 64, and leaves nothing in hand', async () => {
  let handled = 0
  const fetch = () => {
    handled++
    return new Promise<Response>(() => undefined)
  }
  const inHand = new RequestsInHand()
  await using server = await HttpServer.listen(
    appListener({ fetch }),
    { host: '127.0.0.1', port: 0 },
    { inHand },
  )
  const { socket } = await socketTo(server)
  socket.on('error', () => undefined)
  const closed = once(socket, 'close')
  socket.write(GET.repeat(1_000))
  await closed
  expect(handled).toBe(64)
  await expect.poll(() => inHand.count).toBe(0)
})

test('callers that hang up leave nothing in hand, whatever of theirs is answered later', async () => {
  const { app, release } = handApp()
  const inHand = new RequestsInHand()
  await using server = await HttpServer.listen(appListener(app), { host: '127.0.0.1', port: 0 }, { inHand })
  const callers = await Promise.all([socketTo(server), socketTo(server), socketTo(server)])
  for (const { socket } of callers) socket.write(GET.repeat(10))
  await expect.poll(() => inHand.count).toBe(30)
  for (const { socket } of callers.slice(1)) socket.destroy()
  await expect.poll(() => inHand.count).toBe(10)
  release.resolve()
  await expect.poll(() => answersIn(callers[0]!.received())).toBe(10)
  await expect.poll(() => inHand.count).toBe(0)
  callers[0]!.socket.destroy()
})

test('a server that stops answers what it has in hand, and closes the connection', async () => {
  const { app, release } = handApp()
  const server = await HttpServer.listen(appListener(app), { host: '127.0.0.1', port: 0 })
  const { socket, received } = await socketTo(server)
  const closed = once(socket, 'close')
  socket.write(GET)
  const stopped = server[Symbol.asyncDispose]()
  release.resolve()
  await closed
  await stopped
  expect(received()).toContain('answered')
})
