import { once } from 'node:events'
import { connect } from 'node:net'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { HttpServer } from './http-server.ts'

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
  await using server = await HttpServer.listen(app, { host: '127.0.0.1', port: 0 })
  const { socket, received } = await socketTo(server)
  socket.write(GET.repeat(64))
  release.resolve()
  await expect.poll(() => answersIn(received())).toBe(64)
  socket.write(GET.repeat(64))
  await expect.poll(() => answersIn(received())).toBe(128)
  socket.destroy()
})

test('a client that sends requests without end and reads nothing is cut off', async () => {
  const { app } = handApp()
  await using server = await HttpServer.listen(app, { host: '127.0.0.1', port: 0 })
  const { socket } = await socketTo(server)
  socket.on('error', () => undefined)
  const closed = once(socket, 'close')
  socket.write(GET.repeat(200))
  await closed
})

test('a server that stops answers what it has in hand, and closes the connection', async () => {
  const { app, release } = handApp()
  const server = await HttpServer.listen(app, { host: '127.0.0.1', port: 0 })
  const { socket, received } = await socketTo(server)
  const closed = once(socket, 'close')
  socket.write(GET)
  const stopped = server[Symbol.asyncDispose]()
  release.resolve()
  await closed
  await stopped
  expect(received()).toContain('answered')
})
