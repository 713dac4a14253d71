/** What takes telemetry says to it: Elasticsearch's `_bulk`, and a collector of OpenTelemetry. */
import { Buffer } from 'node:buffer'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { settingsSchema } from '@freshet/config/schema.ts'
import { type ErrorCode, isFreshetError } from '@freshet/errors/errors.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import { dataStream } from '@freshet/telemetry/documents/document.ts'
import { recordedSignals } from '@freshet/telemetry/documents/recorded-signals.kit.ts'
import { bulkDelivery } from '@freshet/telemetry/elasticsearch/bulk.ts'
import { bulkDocument } from '@freshet/telemetry/elasticsearch/bulk-document.ts'
import { OtlpDelivery } from '@freshet/telemetry/otlp/otlp-delivery.ts'
import { type OtlpItem, spanItem } from '@freshet/telemetry/otlp/otlp-item.ts'
import type { Deliver, Delivery } from '@freshet/telemetry/outbox/delivery.ts'
import { afterAll, expect, test, vi } from 'vitest'
import { fuzz } from './fuzz.kit.ts'
import { httpAnswer, RawServer } from './raw-server.kit.ts'

const server = await RawServer.listen()
const client = connectElasticsearch({ ...settingsSchema.parse({}).elasticsearch, url: server.url })
afterAll(async () => {
  vi.unstubAllEnvs()
  await client.close()
  server.close()
})

/** Nothing here waits for it: the server hangs up. */
const never = new AbortController().signal

/** Each item has one fate, and who is not taken is told why. */
async function checkDelivery<Item>(
  deliver: Deliver<Item>,
  items: readonly Item[],
  codes: readonly ErrorCode[],
) {
  const {
    written,
    retry,
    refused,
    refusal,
    error,
    retryAfterMs = 0,
  }: Delivery<Item> = await deliver(items, never)
  expect(new Set([...written, ...retry, ...refused])).toEqual(new Set(items))
  expect(written.length + retry.length + refused.length).toBe(items.length)
  expect(refusal === undefined).toBe(refused.length === 0)
  if (refusal !== undefined) expect(refusal).toBeTypeOf('string')
  if (written.length + retry.length === 0 || error === undefined) return
  expect(isFreshetError(error) && codes).toContain(error.code)
  expect(retryAfterMs).toBeLessThanOrEqual(300_000)
}

const documents = ['a', 'b', 'c'].map((id) =>
  bulkDocument({ message: id }, { stream: dataStream('logs', 'test'), id, atMs: 0, worth: 'span' }),
)
const items = [
  { create: { status: 201 } },
  { create: { status: 429, error: { type: 'es_rejected_execution_exception', reason: 'queue' } } },
  { create: { status: 400, error: { type: 'document_parsing_exception', reason: 'field [a]' } } },
]
const blocked = { create: { status: 403, error: { type: 'cluster_block_exception', reason: 'full' } } }

fuzz({
  name: 'bulk',
  format: 'json',
  codes: [],
  valid: [{ items }, { items: [blocked, blocked, blocked] }].map((said) => Buffer.from(JSON.stringify(said))),
  share: 0.1,
  async read(bytes) {
    for (const [status, ...headers] of [[200], [400], [503, 'retry-after: 1e300']] as const) {
      server.answer = httpAnswer(bytes, status, ['x-elastic-product: Elasticsearch', ...headers])
      await checkDelivery(bulkDelivery(client, handClock(0)), documents, [
        ...(['ELASTICSEARCH_UNREACHABLE', 'ELASTICSEARCH_UNAUTHORIZED', 'ELASTICSEARCH_REFUSED'] as const),
        ...(['SHARD_UNAVAILABLE', 'INDEX_MISSING', 'HIT_MALFORMED', 'TELEMETRY_BLOCKED'] as const),
      ])
    }
  },
})

vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', server.url)
vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '200')
const { spans } = await recordedSignals()
const otlp = new OtlpDelivery()

/** Of the protocol's: so many spans were not taken, and why. */
const partial = Buffer.concat([Buffer.of(0x0a, 8, 0x08, 1, 0x12, 4), Buffer.from('late')])

fuzz({
  name: 'collector-http',
  format: 'bytes',
  codes: [],
  valid: [
    httpAnswer(partial, 200, ['content-type: application/x-protobuf']),
    httpAnswer(partial, 400),
    httpAnswer('', 503, ['retry-after: 1e300']),
  ],
  share: 0.1,
  async read(bytes) {
    server.answer = bytes
    const deliver: Deliver<OtlpItem> = (items, signal) => otlp.deliver(items, signal)
    await checkDelivery(deliver, spans.map(spanItem), ['COLLECTOR_UNREACHABLE'])
  },
})

test('a collector that switches to another protocol is not waited for without an end', async () => {
  server.answer = Buffer.from('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n')
  const { retry, error } = await otlp.deliver(spans.map(spanItem), never)
  expect(retry).toHaveLength(spans.length)
  expect(error).toMatchObject({ code: 'COLLECTOR_UNREACHABLE' })
})

test.each(['{}', 'null', '{"items":null}', '"items"'])(
  'an answer of %s to a bulk request is told, and nothing counts as written',
  async (said) => {
    server.answer = httpAnswer(said, 200, ['x-elastic-product: Elasticsearch'])
    const { retry, error } = await bulkDelivery(client, handClock(0))(documents, never)
    expect(retry).toHaveLength(documents.length)
    expect(error).toMatchObject({ code: 'HIT_MALFORMED' })
  },
)
