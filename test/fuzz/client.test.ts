/** What a backend's client hears in a gateway's place: its answers, those of a proxy, and what is no HTTP at all. */
import { Buffer } from 'node:buffer'
import { FreshetClient } from '@freshet/client/client.ts'
import { CLIENT_REASONS, type NoAnswer, NoAnswerError, type Outage } from '@freshet/client/results.ts'
import { afterAll, expect, test } from 'vitest'
import { fuzz } from './fuzz.kit.ts'
import { httpAnswer, RawServer } from './raw-server.kit.ts'

const server = await RawServer.listen()
afterAll(() => server.close())

const DEADLINE_MS = 20_000

/** What a call gives for these bytes. A new client each time: one that missed answers would not ask any more. */
async function told<T>(answer: Buffer, call: (client: FreshetClient) => Promise<T>): Promise<T> {
  server.answer = answer
  using client = new FreshetClient({ url: server.url, deadlineMs: DEADLINE_MS, default: 7 })
  return await call(client)
}

interface Kind {
  readonly name: string
  readonly valid: readonly object[]
  readonly call: (client: FreshetClient) => Promise<object>
  /** Fails where it is no such answer. */
  readonly check: (result: never) => void
}

const answer = {
  ...{ key: 'a', score: 12.5, source: 'cache', age_ms: 5, as_of: '2026-11-24T18:55:39.965Z' },
  ...{ model: 'delay@1', degraded: false },
}
const problem = {
  type: 'urn:freshet:error:FIELD_TYPE',
  title: 't',
  status: 422,
  detail: 'd',
  code: 'FIELD_TYPE',
}

const KINDS: readonly Kind[] = [
  {
    name: 'lookup',
    valid: [answer, { ...answer, scores: { delay: 1, constructor: 2 } }],
    call: (client) => client.lookup('a'),
    check: checkAnswer,
  },
  {
    name: 'lookups',
    valid: [{ answers: [answer, { key: 'b', absent: 'deleted' }, { key: 'c', problem }], degraded: false }],
    call: (client) => client.lookupMany(['a', 'b', 'c']),
    check: (results: readonly Result[]) => {
      expect(results).toHaveLength(3)
      results.forEach(checkResult)
    },
  },
  {
    name: 'ranking',
    valid: [
      {
        answers: [answer],
        pool: { source: 'last', size: 1, age_ms: 2, as_of: '2026-11-24T18:55:39.965Z' },
        ...{ unscorable: 0, degraded: true, reason: 'pool_late' },
      },
    ],
    call: (client) => client.rank({ template: 't' }),
    check: ({ answers, pool }: { answers: Answer[]; pool: { size: number } }) => {
      answers.forEach(checkAnswer)
      expect(pool.size).toBeTypeOf('number')
    },
  },
  {
    name: 'serving-model',
    valid: [
      {
        ...{ model: 'delay@1', name: 'delay', version: '1', sha256: '0'.repeat(64), generation: 1 },
        ...{
          promoted_at: '2026-11-24T18:55:39.965Z',
          inputs: {},
          outputs: [],
          shadow: null,
          degraded: false,
        },
      },
    ],
    call: (client) => client.model(),
    check: ({ model, generation }: { model: string; generation: number }) => {
      expect(model).toBeTypeOf('string')
      expect(generation).toBeTypeOf('number')
    },
  },
]

type Answer = typeof answer & { readonly scores?: object }
type Result = Answer | NoAnswer

function checkAnswer({ key, score, scores = {}, source, age_ms, as_of, model, degraded }: Answer): void {
  expect(source).toBeTypeOf('string')
  expect(degraded).toBeTypeOf('boolean')
  expect(Object.keys(scores)).toBeInstanceOf(Array)
  for (const text of [key, as_of, model]) if (text !== null) expect(text).toBeTypeOf('string')
  for (const number of [score, age_ms]) if (number !== null) expect(number).toBeTypeOf('number')
}

function checkResult(result: Result): void {
  if (result.source === 'none') checkNone(result as NoAnswer)
  else checkAnswer(result as Answer)
}

function checkNone(result: NoAnswer | Outage): void {
  expect(Object.keys(CLIENT_REASONS)).toContain(result.reason)
  expect(result.reason).not.toBe('gateway_late')
  expect(result.degraded).toBeTypeOf('boolean')
  if ('score' in result) expect(result.score).toBe(7)
  expect(new NoAnswerError(result as Outage).message).not.toContain('undefined')
}

for (const { name, valid, call, check } of KINDS) {
  const read = async (answer: Buffer) => {
    const result = (await told(answer, call)) as Outage
    if (result.source === 'none') checkNone(result)
    else check(result as never)
  }
  const texts = valid.map((value) => JSON.stringify(value))
  fuzz({
    name: `client-${name}`,
    format: 'json',
    codes: [],
    valid: [...texts, JSON.stringify({ ...problem, status: 503 })].map((text) => Buffer.from(text)),
    share: 0.08,
    read: async (bytes) => {
      for (const status of [200, 503]) await read(httpAnswer(bytes, status))
    },
  })
  fuzz({
    name: `client-${name}-http`,
    format: 'bytes',
    codes: [],
    valid: texts.map((text) => httpAnswer(text, 200, ['x-request-id: 1'])),
    share: 0.06,
    read,
  })
}

test('an answer that switches to another protocol is none, and is not waited for', async () => {
  const switched = Buffer.from(
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
  )
  expect(await told(switched, (client) => client.lookup('a'))).toMatchObject({
    reason: 'gateway_unreachable',
  })
})
