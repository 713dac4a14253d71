import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PlainRequest, readPlain } from './plain-request.ts'

const HEADERS = 'host: 127.0.0.1:30080\r\naccept: */*\r\n'
const lookup = (path = '/v1/scores/a', headers = HEADERS) => `GET ${path} HTTP/1.1\r\n${headers}\r\n`
const predict = (body = '{"document":{}}', headers = HEADERS) =>
  `POST /v1/predict HTTP/1.1\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

const read = (text: string) => readPlain(Buffer.from(text, 'latin1'))
const isRequest = (plain: ReturnType<typeof read>): plain is PlainRequest => typeof plain === 'object'

test('a lookup is read with its headers, whatever comes behind it', () => {
  const asked = lookup('/v1/scores/flights/UA-1%20', `${HEADERS}X-Api-Key:  k \r\nx-api-key: l\r\n`)
  const plain = read(`${asked}GET `)
  if (!isRequest(plain)) return expect.unreachable()
  expect(plain).toMatchObject({
    method: 'GET',
    url: '/v1/scores/flights/UA-1%20',
    byteLength: asked.length,
  })
  expect(plain.wholeBody).toHaveLength(0)
  expect(['host', 'x-api-key', 'cookie'].map((name) => plain.headers.get(name))).toEqual([
    '127.0.0.1:30080',
    'k, l',
    null,
  ])
})

test('a prediction is read with its body', () => {
  const plain = read(`${predict('{"document":{"a":"é"}}')}POST`)
  if (!isRequest(plain)) return expect.unreachable()
  expect(plain.method).toBe('POST')
  expect(plain.wholeBody).toHaveLength(Buffer.byteLength('{"document":{"a":"é"}}'))
})

test('headers that are known already are not read again', () => {
  const first = read(lookup('/v1/scores/a'))
  if (!isRequest(first)) return expect.unreachable()
  const second = readPlain(Buffer.from(lookup('/v1/scores/b')), first.headers)
  expect((second as PlainRequest).headers).toBe(first.headers)
  const third = readPlain(Buffer.from(lookup('/v1/scores/b', `${HEADERS}a: b\r\n`)), first.headers)
  expect((third as PlainRequest).headers.get('a')).toBe('b')
})

test.each([
  ['a head', lookup().slice(0, -1)],
  ['a head without its first header', 'GET /v1/scores/'],
  ['a body', predict().slice(0, -1)],
  ['a body of which nothing has come', predict().slice(0, -'{"document":{}}'.length)],
])('%s that is not all there is waited for', (_, text) => {
  expect(read(text)).toBe('unfinished')
})

test.each([
  ['a word', 'GET'],
  ['another path', lookup('/v1/model')],
  ['another method', lookup().replace('GET', 'PUT')],
  ['HTTP/1.0', lookup().replace('1.1', '1.0')],
  ['a query', lookup('/v1/scores/a?deadline_ms=5')],
  ['two queries', lookup('/v1/scores?key=a&deadline_ms=5')],
  ['another query', lookup('/v1/scores?deadline_ms=5')],
  ['no key', lookup('/v1/scores?key=')],
  ['a port that is none', lookup().replace(':30080', ':99999')],
  ['a dot segment', lookup('/v1/scores/../a')],
  ['two spaces', lookup().replace('GET ', 'GET  ')],
  ['a bare line feed', lookup().replace('\r\n', '\n')],
  ['a bare carriage return', lookup('/v1/scores/a', `${HEADERS}a: b\rc: d\r\n`)],
  ['a folded header', lookup('/v1/scores/a', `${HEADERS}a: b\r\n c\r\n`)],
  ['a space before a colon', lookup('/v1/scores/a', `${HEADERS}a : b\r\n`)],
  ['a header without a name', lookup('/v1/scores/a', `${HEADERS}: b\r\n`)],
  ['a header that is none', lookup('/v1/scores/a', `${HEADERS}a\r\n`)],
  ['what is not ASCII', lookup('/v1/scores/a', `${HEADERS}a: é\r\n`)],
  ['a zero byte', lookup('/v1/scores/a', `${HEADERS}a: \0\r\n`)],
  ['no host', lookup('/v1/scores/a', 'a: b\r\n')],
  ['no header', lookup('/v1/scores/a', '')],
  ['two hosts', lookup('/v1/scores/a', `${HEADERS}host: 127.0.0.1\r\n`)],
  ['a lookup with a body', lookup('/v1/scores/a', `${HEADERS}content-length: 0\r\n`)],
  ['two lengths', predict('{}', `${HEADERS}content-length: 2\r\n`)],
  ['a length with a sign', predict().replace('content-length: ', 'content-length: +')],
  ['a body in chunks', predict('{}', `${HEADERS}transfer-encoding: chunked\r\n`)],
  ['an expectation', predict('{}', `${HEADERS}expect: 100-continue\r\n`)],
  ['an upgrade', lookup('/v1/scores/a', `${HEADERS}upgrade: h2c\r\n`)],
  ['a connection that ends', lookup('/v1/scores/a', `${HEADERS}connection: close\r\n`)],
  ['a large body', predict('x'.repeat(40_000))],
  [
    'very many headers',
    lookup('/v1/scores/a', HEADERS + Array.from({ length: 100 }, (_, n) => `a${n}: b\r\n`).join('')),
  ],
  ['a long head', lookup('/v1/scores/a', `${HEADERS}a: ${'b'.repeat(8_192)}\r\n`)],
  ['a head that never ends', `${lookup().slice(0, -2)}a: ${'b'.repeat(8_192)}`],
])('%s is left to node:http', (_, text) => {
  expect(read(text)).toBe('other')
})

/** A server of node:http that tells what it takes bytes for. */
const server = createServer({ requireHostHeader: false }, (request, response) => {
  const body: Buffer[] = []
  request.on('data', (chunk: Buffer) => body.push(chunk))
  request.on('end', () => {
    const { method, url, headers } = request
    response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(body).toString('latin1') }))
  })
})
beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(() => void server.close())

/** What node:http answers to bytes, all of it. */
async function nodeSays(bytes: Buffer): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').setEncoding('utf8')
  socket.end(bytes)
  let answers = ''
  for await (const piece of socket) answers += String(piece)
  return answers
}

test('whatever is taken for one request, node:http takes for the same one and no more', async () => {
  const piece = fc.constantFrom(
    ...['\r\n', '\n', '\r', ' ', '\t', ':', '\0', '/', '%', '?', 'é', 'a', 'GET ', ' HTTP/1.1', 'x-a: b\r\n'],
    ...[
      'content-length: 3\r\n',
      'Content-Length:2\r\n',
      'connection: keep-alive\r\n',
      'host: a\r\n',
      ' b\r\n',
    ],
    ...['transfer-encoding: chunked\r\n', 'expect: 100-continue\r\n', 'te: trailers\r\n', '0\r\n\r\n'],
  )
  const edits = fc.array(fc.record({ at: fc.nat(), cut: fc.nat({ max: 3 }), put: piece }), { maxLength: 3 })
  const from = fc.constantFrom(lookup(), predict(), lookup('/v1/scores/b%20', `${HEADERS}x-api-key: k\r\n`))
  let taken = 0
  await fc.assert(
    fc.asyncProperty(from, edits, async (text, edits) => {
      const edited = edits.reduce((all, { at, cut, put }) => {
        const place = at % (all.length + 1)
        return all.slice(0, place) + put + all.slice(place + cut)
      }, text)
      const bytes = Buffer.from(edited, 'latin1')
      const plain = readPlain(bytes)
      if (!isRequest(plain)) return
      taken++
      const answer = await nodeSays(bytes.subarray(0, plain.byteLength))
      expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200'])
      const seen = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))) as Record<string, unknown>
      expect(seen).toMatchObject({
        method: plain.method,
        url: plain.url,
        body: plain.wholeBody.toString('latin1'),
      })
      for (const [name, value] of Object.entries(seen['headers'] as object))
        expect(plain.headers.get(name)).toBe(value)
    }),
    { numRuns: Number(process.env['FUZZ_RUNS'] ?? 2_000) },
  )
  expect(taken).toBeGreaterThan(100)
})
