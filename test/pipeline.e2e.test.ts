import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import { type Flight, flightUpdates, readFlights } from '@freshet/demo/flights.ts'
import type { Answer } from '@freshet/records/answer.ts'
import { DEAD_LETTER_HEADER, deadLetterRecord } from '@freshet/records/dead-letter.ts'
import { topicName } from '@freshet/records/topics.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { describe, expect, test } from 'vitest'
import { type ServiceName, Stack } from './stack.ts'
import { tracedServices } from './traced-services.ts'
import { until } from './until.ts'

const flights = await readFlights()

async function lookup(stack: Stack, id: string): Promise<Answer> {
  const response = await fetch(`${stack.gatewayUrl}/v1/scores/${stack.index}/${id}`)
  return (await response.json()) as Answer
}

describe('a document on its way', () => {
  test('is scored, stored, answered and traced, and one that cannot be scored does not hold up the rest', async () => {
    await using stack = await Stack.open()
    stack.start('poller', 'scorer', 'gateway', 'watchdog')
    const good = flights.slice(0, 200)
    await stack.write(Object.fromEntries(good.map(({ id, document }) => [id, document])))
    await stack.write({
      poison: { carrier: 'UA', note: 'no distance, no schedule' },
      after: good[0]!.document,
    })

    const report = await stack.conserved()
    expect(report).toMatchObject({ liveDocuments: 202, snapshotRows: 202 })
    await stack.gatewayReady()
    await until(
      'the gateway answers from the cache',
      async () => (await lookup(stack, good[0]!.id)).source === 'cache',
    )
    const answer = await lookup(stack, good[0]!.id)
    expect(answer).toMatchObject({
      key: `${stack.index}/${good[0]!.id}`,
      degraded: false,
      model: 'arrival-delay@1',
    })
    expect(answer.age_ms).toBeGreaterThanOrEqual(0)

    const live = await fetch(`${stack.gatewayUrl}/v1/predict`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ document: good[0]!.document }),
    })
    expect(await live.json()).toMatchObject({ source: 'live', score: answer.score })

    const poisoned = await lookup(stack, 'poison')
    expect(poisoned).toMatchObject({ source: 'default', degraded: true })
    expect(await deadLetters(stack)).toMatchObject([{ key: `${stack.index}/poison`, code: 'FIELD_MISSING' }])
    await until(
      'spans of all four services are in Elasticsearch',
      async () => (await tracedServices(stack)).size === 4,
    )
  })
})

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
      expect((await lookup(stack, flights[0]!.id)).source).not.toBe('default')
    },
    120_000,
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
  }, 120_000)
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
