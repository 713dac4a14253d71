import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import { giveOrder } from '@freshet/cli/alerts/control-topic.ts'
import { hasArrived, type Journey, journeysOf } from '@freshet/cli/trace/journey.ts'
import { readSteps } from '@freshet/cli/trace/read-steps.ts'
import { type Flight, flightUpdates, readFlights } from '@freshet/demo/flights.ts'
import type { Answer } from '@freshet/records/answer.ts'
import { DEAD_LETTER_HEADER, deadLetterRecord } from '@freshet/records/dead-letter.ts'
import { topicName } from '@freshet/records/topics.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { describe, expect, test } from 'vitest'
import { freshet } from './freshet.ts'
import { type ServiceName, Stack } from './stack.ts'
import { sampledSteps, spanNames, tracedServices } from './traced-services.ts'
import { until } from './until.ts'

const flights = await readFlights()

async function lookup(stack: Stack, id: string): Promise<Answer> {
  const response = await fetch(`${stack.gatewayUrl}/v1/scores/${stack.index}/${id}`)
  return (await response.json()) as Answer
}

async function predict(stack: Stack, document: object): Promise<Answer> {
  const response = await fetch(`${stack.gatewayUrl}/v1/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ document }),
  })
  return (await response.json()) as Answer
}

/** On a busy machine a single answer may be degraded. */
async function answered(how: string, ask: () => Promise<Answer>): Promise<Answer> {
  let answer: Answer | undefined
  await until(`the gateway answers ${how}`, async () => {
    answer = await ask()
    return !answer.degraded && how.endsWith(answer.source)
  })
  return answer!
}

describe('a document on its way', () => {
  test('is scored, stored, answered and traced, and one that cannot be scored does not hold up the rest', async () => {
    // What somebody names has to come to each worker.
    await using stack = await Stack.open({ FRESHET_GATEWAY_WORKERS: '2' })
    stack.start('poller', 'scorer', 'gateway', 'watchdog')
    const good = flights.slice(0, 200)
    await stack.write(Object.fromEntries(good.map(({ id, document }) => [id, document])))
    await stack.write({
      poison: { carrier: 'UA', note: 'no distance, no schedule' },
      after: good[0]!.document,
    })

    const report = await stack.conserved({ giveUpMs: 90_000 })
    expect(report).toMatchObject({ liveDocuments: 202, snapshotRows: 202 })
    await stack.gatewayReady()
    const answer = await answered('from the cache', () => lookup(stack, good[0]!.id))
    expect(answer).toMatchObject({
      key: `${stack.index}/${good[0]!.id}`,
      degraded: false,
      model: 'arrival-delay@1',
    })
    expect(answer.age_ms).toBeGreaterThanOrEqual(0)

    const live = await answered('live', () => predict(stack, good[0]!.document))
    expect(live.score).toBe(answer.score)

    const poisoned = await lookup(stack, 'poison')
    expect(poisoned).toMatchObject({ source: 'default', degraded: true })
    expect(await deadLetters(stack)).toMatchObject([{ key: `${stack.index}/poison`, code: 'FIELD_MISSING' }])
    await until(
      'spans of all four services are in Elasticsearch',
      async () => (await tracedServices(stack)).size === 4,
    )
    await followsTheSample(stack)
    await hasASpanForEachKindOfWork(stack)
    await followsOne(stack, good[1]!)
  }, 288_000)
})

/** The first change of each shard is in every sample. */
async function followsTheSample(stack: Stack): Promise<void> {
  const way = ['capture', 'score', 'cache', 'snapshot']
  await until('two documents of the sample are traced all the way', async () => {
    const traces = [...(await sampledSteps(stack)).values()]
    return traces.filter((steps) => way.every((step) => steps.has(step))).length >= 2
  })
}

async function hasASpanForEachKindOfWork(stack: Stack): Promise<void> {
  const { pipeline } = stack.settings
  const names = [
    ...[`poll ${stack.index}`, `search ${stack.index}`, `send ${pipeline}.changes`],
    ...[`process ${pipeline}.changes`, 'run model', `send ${pipeline}.scores`, `commit ${pipeline}.changes`],
    ...[`process ${pipeline}.scores`, 'write cache', `commit ${pipeline}.scores`],
    ...['write snapshot deltas', 'commit snapshot'],
    ...['GET /v1/scores/{key}', 'fallback to default'],
  ]
  let missing: string[] = []
  await until(
    'there is a span of every kind',
    async () => {
      const seen = await spanNames(stack)
      missing = names.filter((name) => !seen.has(name))
      return missing.length === 0
    },
    { explain: () => missing.join(', ') },
  )
}

/** Changes it and asks for it until a change that came after the order, and an answer, are seen. */
async function followsOne(stack: Stack, { id, document }: Flight): Promise<void> {
  const { client, settings, index } = stack
  const key = `${index}/${id}`
  const none = await freshet(['trace', `${index}/nobody`, '--wait', '0.1s', '--for', '10s'], stack.env)
  expect(none).toMatchObject({ code: 1, stdout: expect.stringContaining('was not changed') })
  const atMs = Date.now()
  const stamp = { version: 1, by: 'test', reason: 'test', atMs, untilMs: atMs + 120_000 } as const
  await giveOrder(settings, { order: 'trace', ...stamp, key }, AbortSignal.timeout(20_000))
  const look = async () => journeysOf(await readSteps(client, settings, key, AbortSignal.timeout(10_000)))
  await until('a document that was named is traced from the poll to the gateway', async () => {
    await stack.write({ [id]: document })
    await lookup(stack, id)
    const journeys = await look()
    return hasArrived(journeys, atMs) && journeys.some(isWholeWithAnswer)
  })
  const told = await freshet(['trace', key, '--wait', '0.1s', '--all', '--json'], stack.env)
  expect(told.code, told.stderr).toBe(0)
  const { journeys } = JSON.parse(told.stdout) as { journeys: Journey[] }
  const whole = journeys.find(isWholeWithAnswer)!
  expect(whole.steps.map(({ step, service }) => `${service} ${step}`)).toEqual(
    expect.arrayContaining([
      'poller capture',
      'scorer score',
      'scorer cache',
      'scorer snapshot',
      'gateway answer',
    ]),
  )
}

function isWholeWithAnswer({ steps, missing }: Journey): boolean {
  return missing.length === 0 && steps.some(({ step }) => step === 'answer')
}

describe('kill -9', () => {
  test.each<ServiceName>(['poller', 'scorer', 'gateway', 'watchdog'])(
    'of the %s in the middle of the stream loses nothing',
    async (victim) => {
      await using stack = await Stack.open()
      stack.start('poller', 'scorer', 'gateway', 'watchdog')
      const updates = [...flightUpdates(flights.slice(0, 1_500), { seed: 7, underWay: 300 })]
      for (const [round, part] of inParts(updates, 6).entries()) {
        await writeInOrder(stack, part)
        if (round === 1 || round === 3) {
          await stack.stop(victim, 'SIGKILL')
          stack.start(victim)
        }
      }
      await stack.conserved()
      await stack.gatewayReady()
      // On a busy machine a single answer may be late, and then is the default.
      await expect.poll(async () => (await lookup(stack, flights[0]!.id)).source).not.toBe('default')
    },
    192_000,
  )
})

describe('SIGTERM', () => {
  test('ends every service in order within 10 s, with what it held written', async () => {
    await using stack = await Stack.open()
    stack.start('poller', 'scorer', 'gateway', 'watchdog')
    await stack.gatewayReady()
    await writeInOrder(stack, [...flightUpdates(flights.slice(0, 300), { seed: 1, underWay: 50 })])
    const names: readonly ServiceName[] = ['poller', 'scorer', 'gateway', 'watchdog']
    const codes = await Promise.all(names.map((name) => stack.stop(name)))
    expect(codes, JSON.stringify(stack.output)).toEqual([0, 0, 0, 0])
    stack.start('poller', 'scorer')
    await stack.conserved()
  }, 192_000)
})

function inParts<T>(items: readonly T[], parts: number): T[][] {
  const size = Math.ceil(items.length / parts)
  return Array.from({ length: parts }, (_, part) => items.slice(part * size, (part + 1) * size))
}

/** One request for each run of distinct ids, so that updates of one document keep their order. */
async function writeInOrder(stack: Stack, updates: readonly Flight[]): Promise<void> {
  let documents: Record<string, object> = {}
  for (const { id, document } of updates) {
    if (id in documents || Object.keys(documents).length >= 200) {
      await stack.write(documents)
      documents = {}
    }
    documents[id] = document
  }
  await stack.write(documents)
}

async function deadLetters(stack: Stack): Promise<{ key: string; code: string }[]> {
  const { kafka, pipeline } = stack.settings
  const letters: { key: string; code: string }[] = []
  await readAll(connectKafka(kafka, { clientId: 'test', log: quietLog }), topicName(pipeline, 'dead'), {
    deadlineMs: 10_000,
    signal: AbortSignal.timeout(10_000),
    onMessage: (_, { key, headers }) => {
      const { code } = deadLetterRecord.decode(headers[DEAD_LETTER_HEADER]!)
      letters.push({ key: key!.toString(), code })
    },
  })
  return letters
}
