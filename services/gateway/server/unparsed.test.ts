import { once } from 'node:events'
import { connect } from 'node:net'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { gateway } from '../app.kit.ts'
import { appListener } from './app-listener.ts'
import { HttpServer } from './http-server.ts'

/** What a server says to these bytes until it, or we, close the connection. */
async function answerTo(bytes: string, app = new Hono().get('/', (context) => context.text('answered'))) {
  await using server = await HttpServer.listen(appListener(app), { host: '127.0.0.1', port: 0 })
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1').setEncoding('utf8')
  let received = ''
  socket.on('data', (text: unknown) => {
    received += String(text)
  })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  const closed = once(socket, 'close')
  socket.write(bytes)
  await closed
  return received
}

test.each([
  ['no HTTP', 'hello\r\n\r\n', 400, 'REQUEST_INVALID'],
  ['a method that is none', 'FROB / HTTP/1.1\r\nhost: a\r\n\r\n', 400, 'REQUEST_INVALID'],
  ['no host', 'GET / HTTP/1.1\r\n\r\n', 400, 'REQUEST_INVALID'],
  [
    'two lengths',
    'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
    400,
    'REQUEST_INVALID',
  ],
  [
    'a length and chunks',
    'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
    400,
    'REQUEST_INVALID',
  ],
  [
    'headers without end',
    `GET / HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`,
    431,
    'HEADERS_TOO_LARGE',
  ],
  [
    'a host that is none',
    'GET / HTTP/1.1\r\nhost: a/b@c\r\nconnection: close\r\n\r\n',
    400,
    'REQUEST_INVALID',
  ],
  [
    'an address that is none',
    'GET /a\\b HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
    400,
    'REQUEST_INVALID',
  ],
  ['headers that never end', 'GET / HTTP/1.1\r\nhost: a\r\n', 408, 'DEADLINE'],
])('%s is a problem as any other', async (_, bytes, status, code) => {
  const received = await answerTo(bytes)
  expect(received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  if (code === undefined) return
  expect(received.toLowerCase()).toContain('content-type: application/problem+json')
  expect(JSON.parse(received.slice(received.indexOf('\r\n\r\n')))).toMatchObject({ status, code })
})

test.each([
  ['GET /healthz', 200],
  ['HEAD /healthz', 200],
  ['GET /v1/scores/a', 404],
  ['OPTIONS /', 204],
])('HTTP/1.0 without a host, as load balancers check with: %s', async (line, status) => {
  const received = await answerTo(`${line} HTTP/1.0\r\n\r\n`, gateway({ default: 1 }).app)
  expect(received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
})

test('a body in a coding that nobody here undoes is not taken for a plain one', async () => {
  const head =
    'POST /v1/scores HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\n'
  const body = '{"keys":["a"]}'
  const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  const { app } = gateway({ default: 1 })
  const coded = await answerTo(`${head}transfer-encoding: gzip, chunked\r\n\r\n${chunk}`, app)
  expect(coded).toMatch(/^HTTP\/1\.1 501 /)
  expect(coded).toContain('TRANSFER_CODING_UNSUPPORTED')
  expect(await answerTo(`${head}transfer-encoding: Chunked\r\n\r\n${chunk}`, app)).toMatch(/^HTTP\/1\.1 200 /)
})

test('an expectation that nobody knows is no reason to refuse', async () => {
  const received = await answerTo('GET / HTTP/1.1\r\nhost: a\r\nexpect: wonders\r\nconnection: close\r\n\r\n')
  expect(received).toContain('answered')
})

test('nonsense behind requests is not taken for an answer to them: they get their own, and then the end', async () => {
  const app = new Hono().get('/:name', async (context) => {
    await new Promise((resolve) => setImmediate(resolve))
    return context.text(`answered ${context.req.param('name')}`)
  })
  const get = (name: string) => `GET /${name} HTTP/1.1\r\nhost: a\r\n\r\n`
  const received = await answerTo(`${get('a')}${get('b')}hello\r\n\r\n`, app)
  expect(received.match(/HTTP\/1\.1 \d+|answered ./g)).toEqual([
    'HTTP/1.1 200',
    'answered a',
    'HTTP/1.1 200',
    'answered b',
  ])
})

test('a body that breaks off into nonsense ends the connection at once, whatever waits for it', async () => {
  const app = new Hono().post('/', async (context) => context.text(await context.req.text()))
  const head = 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n'
  expect(await answerTo(`${head}5\r\nhello\r\nnonsense\r\n`, app)).not.toContain('200')
})
