/**
 * Every operation of /openapi.json is asked with what schemathesis makes of it, good and bad: nothing is answered with a
 * 5xx that is not in the document, nothing hangs, and what is answered is what the document says. And the bare socket is
 * sent what is no HTTP at all.
 */
import { hash, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { storeForGateway } from './gateway-scores.ts'
import {
  FAULT_OF_PYTHON,
  isTaken,
  operationsIn,
  type Run,
  SCHEMATHESIS,
  schemathesis,
} from './schemathesis.ts'
import { Stack } from './stack.ts'

const SEED = Number(process.env['FUZZ_SEED'] ?? randomInt(2 ** 31))
const FUZZING_SECONDS = 20
const TRIES = 3

const KEY = 'sesame-open-thou'
const TEMPLATES = {
  'from-airport': {
    query: {
      bool: {
        filter: [
          { term: { 'origin.keyword': { $param: 'origin' } } },
          { terms: { flight: { $param: 'flights' } } },
        ],
      },
    },
    parameters: {
      origin: { type: 'string' },
      flights: { type: 'list', of: { type: 'integer' }, default: [1715] },
    },
  },
}

let stack: Stack

beforeAll(async () => {
  const scopes = ['lookup', 'predict', 'rank', 'rank:raw', 'metrics']
  stack = await Stack.open({
    FRESHET_GATEWAY_KEYS: JSON.stringify([{ name: 'fuzz', sha256: hash('sha256', KEY), scopes }]),
    FRESHET_GATEWAY_RANK_TEMPLATES: JSON.stringify(TEMPLATES),
    FRESHET_GATEWAY_DEFAULT: '0.5',
  })
  await storeForGateway(stack, [
    { key: 'flights/UA-1', score: 12.5 },
    { key: '0', score: 7 },
  ])
  stack.start('gateway')
  await stack.gatewayReady()
})

afterAll(() => stack[Symbol.asyncDispose]())

describe.skipIf(SCHEMATHESIS === undefined)(
  'with SCHEMATHESIS, the program of that name (else skipped)',
  () => {
    test(`all that the document promises is kept, whatever is asked [FUZZ_SEED=${SEED}]`, async () => {
      const document = await ourDocument()
      const { code, report, output } = await fuzz(document)
      expect([code, report.complete, report.errors], output).toEqual([0, true, []])
      expect(report.test_cases.generated, output).toBeGreaterThan(40)
      expect(operationsIn(report), output).toEqual(operationsOf(document))
      expect(MUST_BE_TAKEN.filter((operation) => !isTaken(report, operation))).toEqual([])
      await expectWell()
    }, 400_000)
  },
)

/**
 * A run that Python's parser has not broken, and that was long enough to come to every operation and to be answered by those
 * that matter, however busy the machine is. What the gateway has done wrong is told of the others, too.
 */
async function fuzz(document: Document): Promise<Run> {
  for (let tries = 1; ; tries++) {
    const run = await schemathesis(document, {
      ...{ url: stack.gatewayUrl, key: KEY },
      ...{ seed: SEED + tries - 1, seconds: FUZZING_SECONDS * tries },
    })
    expect(run.report.failures, run.output).toEqual([])
    const isWhole =
      operationsIn(run.report).length === operationsOf(document).length &&
      MUST_BE_TAKEN.every((operation) => isTaken(run.report, operation))
    if (tries === TRIES || (isWhole && !run.output.includes(FAULT_OF_PYTHON))) return run
  }
}

/** Requests of these have to be taken, not only refused. */
const MUST_BE_TAKEN = ['POST /v1/scores', 'POST /v1/predict', 'POST /v1/rank', 'GET /v1/scores/{key}']

/** What of the gateway's document is looked at, or told. */
interface Document {
  readonly paths: Record<
    string,
    Record<string, { requestBody: { content: Record<string, { example?: unknown }> } }>
  >
  readonly components: {
    readonly schemas: { RankRequest: { properties: Record<string, object>; required?: string[] } }
  }
}

function operationsOf({ paths }: Document): readonly string[] {
  return Object.entries(paths)
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
    .toSorted()
}

/**
 * The gateway's document, told of a document that can be scored, and which templates there are: what is made up without
 * knowing them gets no further than to be refused.
 */
async function ourDocument(): Promise<Document> {
  const document = (await (await fetch(`${stack.gatewayUrl}/openapi.json`)).json()) as Document
  const { document: example } = stack.bundle.golden[0]!
  document.paths['/v1/predict']!['post']!.requestBody.content['application/json']!.example = {
    document: example,
  }
  const { RankRequest } = document.components.schemas
  const { top, order } = RankRequest.properties as { top: object; order: object }
  RankRequest.properties = {
    top,
    order,
    template: { enum: Object.keys(TEMPLATES) },
    parameters: {
      type: 'object',
      properties: {
        origin: { type: 'string', maxLength: 256 },
        flights: {
          type: 'array',
          items: { type: 'integer', minimum: 0, maximum: 9_999 },
          minItems: 1,
          maxItems: 9,
        },
      },
      required: ['origin'],
      additionalProperties: false,
    },
  }
  RankRequest.required = ['template', 'parameters']
  return document
}

/** A connection of its own that sends this and no more. @returns all that came back until it was closed */
async function sendRaw(bytes: Uint8Array | string, { staysOpen = false } = {}): Promise<string> {
  const socket = connect(Number(new URL(stack.gatewayUrl).port), '127.0.0.1').setEncoding('latin1')
  let reply = ''
  socket.on('data', (text) => void (reply += String(text)))
  socket.on('error', () => {}) // reset by a server that has heard enough
  if (staysOpen) socket.write(bytes)
  else socket.end(bytes)
  await once(socket, 'close')
  return reply
}

const statusesIn = (reply: string) =>
  [...reply.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]))

async function expectWell(): Promise<void> {
  expect((await fetch(`${stack.gatewayUrl}/healthz`)).status).toBe(200)
  expect(stack.hasEnded('gateway')).toBe(false)
  expect(stack.output.gateway).not.toMatch(/"error.type":"BUG"/)
}

describe('the bare socket', () => {
  const GOOD = [
    'GET /v1/scores/flights/UA-1 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n',
    'GET /v1/scores?key=flights%2FUA-1 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n',
    'GET /v1/scores/flights/UA-1 HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n',
    'POST /v1/predict HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n{"document":{}}',
    'POST /v1/scores HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nc\r\n{"keys":["a"\r\n2\r\n]}\r\n0\r\n\r\n',
    'HEAD /readyz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: keep-alive, upgrade\r\nupgrade: websocket\r\n\r\n',
    'OPTIONS * HTTP/1.1\r\nhost: 127.0.0.1\r\nexpect: 100-continue\r\n\r\n',
    'CONNECT 127.0.0.1:22 HTTP/1.1\r\nhost: 127.0.0.1:22\r\n\r\n',
    'GET http://evil.example/v1/model HTTP/1.0\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ].map((text) => Buffer.from(text, 'latin1'))
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat(12),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc
        .constantFrom(
          ...[
            '\r\n',
            '\r',
            '\n\n',
            '\0',
            ' ',
            ':',
            '%',
            '%00',
            '%2e%2e/',
            '//',
            '?',
            '#',
            '\t',
            '\xff',
            '{',
            '[',
          ],
          ...['content-length: 0\r\n', 'content-length: 99999999999\r\n', 'content-length: -1\r\n'],
          ...['transfer-encoding: chunked\r\n', 'transfer-encoding: identity, chunked\r\n', 'host: a\r\n'],
          ...[
            'authorization: Bearer x\r\n',
            'x-deadline-ms: 1e9\r\n',
            'traceparent: 00-0-0-0\r\n',
            'FFFFFFFF\r\n',
          ],
        )
        .map((text) => Buffer.from(text, 'latin1')),
    ),
  })
  const mangled = fc.tuple(fc.constantFrom(...GOOD), fc.array(edit, { maxLength: 6 })).map(([good, edits]) =>
    edits.reduce((bytes, { at, cut, insert }) => {
      const from = Math.floor(at * bytes.length)
      return Buffer.concat([bytes.subarray(0, from), insert, bytes.subarray(from + cut)])
    }, good),
  )
  const garbage = fc.oneof({ weight: 4, arbitrary: mangled }, fc.uint8Array({ maxLength: 2_000 }))

  test('whatever is sent, the connection is answered or closed, without a 500 and without a score', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(garbage, { minLength: 20, maxLength: 20 }), async (all) => {
        for (const reply of await Promise.all(all.map((bytes) => sendRaw(bytes)))) {
          for (const status of statusesIn(reply)) if (status !== 503) expect(status).toBeLessThan(500)
          expect(reply).not.toContain('"score"')
        }
      }),
      { numRuns: 40, endOnFailure: true }, // shrinking would ask thousands of times
    )
    await expectWell()
  })

  test('who sends a part of a request and then waits is not waited for', async () => {
    const parts = [
      '',
      'GET /v1/sco',
      'GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nx-a: ',
      'POST /v1/predict HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 9\r\n\r\n{',
    ]
    for (const reply of await Promise.all(parts.map((part) => sendRaw(part, { staysOpen: true }))))
      for (const status of statusesIn(reply)) expect(status).toBeLessThan(500)
    await expectWell()
  })

  test.each([
    ['an address', `GET /v1/scores/${'a'.repeat(20_000)} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`, [431]],
    ['a header', `GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nx-long: ${'a'.repeat(20_000)}\r\n\r\n`, [431]],
    ['headers', `GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n${'a: b\r\n'.repeat(10_000)}\r\n`, [431]],
  ])('too long %s is refused', async (_, text, statuses) => {
    expect(statusesIn(await sendRaw(text))).toEqual(statuses)
    await expectWell()
  })
})

describe('a caller with a key', () => {
  const post = (path: string, body: string, headers = {}) =>
    fetch(`${stack.gatewayUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}`, ...headers },
      body,
    })
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

  test.each([
    ['a body beyond the limit', '/v1/predict', `{"document":{"a":"${'x'.repeat(1024 * 1024)}"}}`, 413],
    ['a body nested without end', '/v1/predict', `{"document":{"a":${nested(200_000)}}}`, 400],
    ['a field that nobody knows', '/v1/scores', '{"keys":["a"],"debug":true}', 400],
    ['a prototype', '/v1/scores', '{"keys":["a"],"__proto__":{"debug":true}}', 400],
    ['a constructor', '/v1/rank', '{"template":"from-airport","constructor":{"prototype":{"a":1}}}', 400],
    ['a template that is a name of every object', '/v1/rank', '{"template":"__proto__"}', 404],
    [
      'a parameter that is a query',
      '/v1/rank',
      '{"template":"from-airport","parameters":{"origin":{"match_all":{}}}}',
      400,
    ],
    [
      'a parameter that nobody knows',
      '/v1/rank',
      '{"template":"from-airport","parameters":{"origin":"LGA","size":500}}',
      400,
    ],
    ['a script', '/v1/rank', '{"query":{"script":{"script":"1"}}}', 400],
    ['a key twice', '/v1/scores', '{"keys":["a"],"keys":["b"],"keys":1}', 400],
  ])('is refused with %s', async (_, path, body, status) => {
    const reply = await post(path, body)
    expect(reply.status).toBe(status)
    expect(reply.headers.get('content-type')).toBe('application/problem+json')
    expect(await reply.json()).toMatchObject({ status, code: expect.any(String) })
    await expectWell()
  })

  test('asks for documents whose fields are named as those of every object, and nothing is polluted', async () => {
    for (const document of ['{"__proto__":{"distance":1}}', '{"constructor":{"prototype":{"distance":1}}}'])
      expect([200, 422]).toContain((await post('/v1/predict', `{"document":${document}}`)).status)
    const { document } = stack.bundle.golden[0]!
    const [one, other] = [
      await post('/v1/predict', JSON.stringify({ document })),
      await post('/v1/predict', JSON.stringify({ document })),
    ]
    expect([one.status, other.status]).toEqual([200, 200])
  })
})

test('no page may be framed, sniffed, or tell where a reader came from; only its own style and script run', async () => {
  const { paths } = (await (await fetch(`${stack.gatewayUrl}/openapi.json`)).json()) as { paths: object }
  const pages = [...Object.keys(paths).map((path) => path.replace('{key}', 'a')), '/nowhere', '/v1/nowhere']
  expect(pages.length).toBeGreaterThan(8)
  for (const page of pages)
    for (const authorization of ['', `Bearer ${KEY}`]) {
      const { headers } = await fetch(`${stack.gatewayUrl}${page}`, { headers: { authorization } })
      const policy = headers.get('content-security-policy')
      expect(policy, page).toContain("default-src 'none'")
      expect(policy, page).toContain("frame-ancestors 'none'")
      expect(policy, page).not.toMatch(/unsafe|\*|https?:/)
      expect(headers.get('x-content-type-options'), page).toBe('nosniff')
      expect(headers.get('referrer-policy'), page).toBe('no-referrer')
      expect(headers.get('access-control-allow-origin'), page).toBeNull()
    }
})
