import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Client } from '@elastic/elasticsearch'
import { systemClock } from '@freshet/stage/clock.ts'
import { expect, onTestFinished, test, vi } from 'vitest'
import { dataStream } from '../documents/document.ts'
import { Metrics } from '../metrics.ts'
import { Outbox, type OutboxEvents } from '../outbox/outbox.ts'
import { bulkDelivery } from './bulk.ts'
import { bulkDocument } from './bulk-document.ts'

const NOW_MS = Date.parse('2026-11-30T08:00:00Z')
const DEADLINE = { timeout: 15_000, interval: 10 }

type Answer = (response: ServerResponse, request: { readonly body: string }) => void

/** A server that answers bulk requests as told, one answer after the other; the last one for ever. */
async function bulkServer(...answers: Answer[]) {
  const requests: string[] = []
  const server: Server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => (body += chunk))
    request.on('end', () => {
      response.setHeader('x-elastic-product', 'Elasticsearch')
      response.setHeader('content-type', 'application/json')
      if (request.url?.startsWith('/_data_stream')) return response.end('{}')
      requests.push(body)
      ;(answers.length > 1 ? answers.shift()! : answers[0]!)(response, { body })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

const statuses =
  (...codes: number[]): Answer =>
  (response, { body }) => {
    const items = Array.from({ length: body.split('\n').length >> 1 }, (_, at) => {
      const status = codes[at] ?? codes.at(-1)!
      return {
        create: { status, ...(status >= 400 && { error: { type: 'some_exception', reason: 'because' } }) },
      }
    })
    response.end(JSON.stringify({ items }))
  }

const never: Answer = () => {}
const whole =
  (status: number): Answer =>
  (response) => {
    response.statusCode = status
    response.end('{"error":{"type":"some_exception"}}')
  }

const connect = (url: string) => new Client({ node: url, maxRetries: 0, requestTimeout: 2_000 })

function openOutbox(url: string, { maxQueuedBytes = 1024 * 1024, flushDeadlineMs = 3_000 } = {}) {
  const metrics = new Metrics()
  const events = { unreachable: vi.fn(), recovered: vi.fn(), refused: vi.fn() } satisfies OutboxEvents
  const outbox = new Outbox({
    deliver: bulkDelivery(connect(url), systemClock),
    maxQueuedBytes,
    metrics,
    clock: systemClock,
    flushDeadlineMs,
    on: events,
  })
  const counted = (name: string) => metrics.values()[`freshet.telemetry.${name}`]
  return { outbox, events, counted }
}

const document = (id: number) =>
  bulkDocument(
    { message: 'x'.repeat(200) },
    { stream: dataStream('logs', 'test'), id: `${id}`, atMs: 0, worth: 'span' },
  )

test('what was pushed before the end is delivered before the end', async () => {
  const server = await bulkServer(statuses(201))
  const { outbox, counted } = openOutbox(server.url)
  for (let id = 0; id < 3; id++) outbox.push(document(id))
  await outbox[Symbol.asyncDispose]()
  expect(counted('exported')).toBe(3)
  expect(server.requests.join('').match(/"_id":"\d"/g)).toEqual(['"_id":"0"', '"_id":"1"', '"_id":"2"'])
})

test('items are judged one by one: there already is done, too many waits, malformed is dropped and counted', async () => {
  const server = await bulkServer(statuses(201, 409, 429, 400), statuses(201))
  const { outbox, counted, events } = openOutbox(server.url)
  for (let id = 0; id < 4; id++) outbox.push(document(id))
  await vi.waitFor(() => expect(counted('exported')).toBe(3), DEADLINE)
  await outbox[Symbol.asyncDispose]()
  expect(counted('dropped.refused')).toBe(1)
  expect(
    server.requests
      .slice(1)
      .join('')
      .match(/"_id":"\d"/g),
  ).toEqual(['"_id":"2"'])
  expect(events.refused).toHaveBeenCalledExactlyOnceWith('some_exception: because')
})

/** As something between us and Elasticsearch may answer. */
const says =
  (status: unknown): Answer =>
  (response) =>
    response.end(JSON.stringify({ items: [{ create: { status } }] }))

test.each(['503', '201', 'CREATED', '', null, 0, 100])(
  'a status of %j says nothing of the item, which is sent again and not given up',
  async (status) => {
    const server = await bulkServer(says(status))
    const deliver = bulkDelivery(connect(server.url), systemClock)
    const documents = [document(1)]
    const delivery = await deliver(documents, new AbortController().signal)
    expect(delivery).toEqual({ written: [], retry: documents, refused: [] })
  },
)

test('one that is refused without a word is told by its status', async () => {
  const server = await bulkServer(says(404))
  const delivery = await bulkDelivery(connect(server.url), systemClock)(
    [document(1)],
    new AbortController().signal,
  )
  expect(delivery).toMatchObject({ refused: [{ id: '1' }], refusal: 'status 404' })
})

test.each([
  ['7', 7_000],
  [new Date(NOW_MS + 9_000).toUTCString(), 9_000],
  ['99999999999', 300_000], // a timer for so long would fire at once
])('a server that asks for a rest of %s has one of %i ms', async (asked, waitMs) => {
  const server = await bulkServer((response) => {
    response.setHeader('retry-after', asked)
    whole(429)(response, { body: '' })
  })
  const deliver = bulkDelivery(connect(server.url), { nowMs: () => NOW_MS })
  const delivery = await deliver([document(1)], new AbortController().signal)
  expect(delivery).toMatchObject({ written: [], refused: [], retryAfterMs: waitMs })
})

/** As a server answers whose index is blocked. */
const blocked: Answer = (response, { body }) => {
  const error = {
    type: 'cluster_block_exception',
    reason: 'index [x] blocked by: [FORBIDDEN/8/index write (api)];',
  }
  const items = Array.from({ length: body.split('\n').length >> 1 }, (_, at) => ({
    create: at === 0 ? { status: 201 } : { status: 403, error },
  }))
  response.end(JSON.stringify({ items }))
}

test('a block of an index is said as what it is, and what it held up comes when it is taken away', async () => {
  const server = await bulkServer(blocked, statuses(201))
  const { outbox, counted, events } = openOutbox(server.url)
  for (let id = 0; id < 3; id++) outbox.push(document(id))
  await vi.waitFor(() => expect(counted('exported')).toBe(3), DEADLINE)
  await outbox[Symbol.asyncDispose]()
  expect(events.unreachable).toHaveBeenCalledExactlyOnceWith(
    expect.objectContaining({
      code: 'TELEMETRY_BLOCKED',
      message: expect.stringContaining('index write (api)'),
    }),
  )
  expect(events.recovered).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ droppedDocuments: 0 }))
  expect(events.refused).not.toHaveBeenCalled()
})

test('an outage is said once, survived, and its end is said with what was lost', async () => {
  const server = await bulkServer(whole(503), whole(429), statuses(201))
  const { outbox, counted, events } = openOutbox(server.url)
  outbox.push(document(1))
  await vi.waitFor(() => expect(counted('exported')).toBe(1), DEADLINE)
  await outbox[Symbol.asyncDispose]()
  expect(events.unreachable).toHaveBeenCalledOnce()
  expect(events.recovered).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ droppedDocuments: 0 }))
})

/*
 * The server accepts connections and never answers. Everything that the pipeline does with telemetry is the push, which
 * is synchronous and bounded; what does not fit is counted, and so is what is left at the end: nothing is unaccounted.
 */
test('a frozen Elasticsearch holds up nothing and costs only what is counted', async () => {
  const server = await bulkServer(never)
  const { outbox, counted } = openOutbox(server.url, { maxQueuedBytes: 65_536, flushDeadlineMs: 100 })
  for (let id = 0; id < 5_000; id++) outbox.push(document(id))
  await vi.waitFor(() => expect(server.requests.length).toBeGreaterThan(0), DEADLINE)
  for (let id = 5_000; id < 10_000; id++) outbox.push(document(id))
  await outbox[Symbol.asyncDispose]()
  expect(counted('exported')).toBe(0)
  expect(counted('dropped.queue_full')).toBeGreaterThan(9_000)
  expect(counted('dropped.queue_full')! + counted('dropped.stopped')!).toBe(10_000)
})

test('a server that is not there costs only what is counted', async () => {
  const { outbox, counted, events } = openOutbox('http://127.0.0.1:1', { flushDeadlineMs: 100 })
  outbox.push(document(1))
  await vi.waitFor(() => expect(events.unreachable).toHaveBeenCalledOnce(), DEADLINE)
  await outbox[Symbol.asyncDispose]()
  expect(counted('dropped.stopped')).toBe(1)
})
