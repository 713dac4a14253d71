/** What callers send to the gateway, and what a client reads of its answers. Real: the whole app. Modelled: its rungs. */
import { Buffer } from 'node:buffer'
import { gateway, stored } from '@freshet/gateway/app.kit.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fuzz } from './fuzz.kit.ts'

const { app } = gateway({ cache: { kind: 'has', score: stored } as never, maxBodyBytes: 1_000_000 })

async function post(path: string, body: Buffer, headers: Record<string, string> = {}) {
  const request = {
    method: 'POST',
    body: new Uint8Array(body),
    headers: { 'content-type': 'application/json', ...headers },
  }
  return checked(await app.request(path, request))
}

/** An answer or a problem in words; what is a fault of ours is no answer. */
async function checked(response: Response): Promise<void> {
  const text = await response.text()
  if (response.status >= 500) expect(text, `${response.status}`).not.toMatch(/"code":\s*"(BUG|INTERNAL)/)
  expect(response.status).toSatisfy((status: number) => status < 500 || status === 503 || status === 504)
  if (text !== '' && response.headers.get('content-type')?.includes('json')) JSON.parse(text)
}

const bodies = {
  '/v1/scores': ['{"keys":["flights/UA-1","b"]}'],
  '/v1/predict': ['{"document":{"a":1},"key":"flights/UA-1"}', '{"documents":[{"a":1},{"a":[{"b":null}]}]}'],
  '/v1/rank': [
    '{"template":"near","parameters":{"a":1},"size":3}',
    '{"query":{"bool":{"filter":[{"term":{"a":1}}]}},"pool":10,"size":3}',
  ],
}

for (const [path, valid] of Object.entries(bodies))
  fuzz({
    name: `body${path.replaceAll('/', '-')}`,
    format: 'json',
    codes: [],
    valid: valid.map((text) => Buffer.from(text)),
    share: 0.3,
    maxKeptBytes: (inputBytes) => 48 * 2 ** 20 + 400 * inputBytes,
    read: (bytes) => post(path, bytes),
  })

test('no path and no header brings the gateway to a fault of its own', async () => {
  const text = fc.string({ unit: 'binary', maxLength: 60 })
  const path = fc.oneof(
    text.map((key) => `/v1/scores/${encodeURIComponent(key.toWellFormed())}`),
    fc.constantFrom(
      '/v1/scores/%',
      '/v1/scores/%ff',
      '/v1/scores/%00',
      '/v1/scores/__proto__',
      '/v1/scores/..%2f',
      '//',
      '/v1/scores/',
    ),
    fc.string({ maxLength: 40 }).map((rest) => `/v1/scores/${rest}`),
    fc.string({ maxLength: 40 }).map((rest) => `/${rest}`),
  )
  const value = fc.oneof(
    fc.constantFrom('-1', '1e999', 'NaN', '', '0', '2147483648', '__proto__', '*/*;q=a'),
    fc.string({ maxLength: 30 }).map((said) => said.replace(/[^\x20-\x7e]/g, '')),
  )
  const headers = fc.dictionary(
    fc.constantFrom(
      'x-deadline-ms',
      'authorization',
      'x-api-key',
      'accept',
      'traceparent',
      'tracestate',
      'baggage',
      'content-length',
      'if-none-match',
    ),
    value,
  )
  await fc.assert(
    fc.asyncProperty(path, headers, async (path, headers) => {
      await checked(await app.request(new URL(`http://gateway${path}`).href, { headers }))
    }),
    { numRuns: 300 },
  )
})
