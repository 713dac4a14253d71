/**
 * Changes in Kafka become scores in Redis, with real Kafka, Redis and S3 and the demo's model. The truth that every
 * test compares with scores the newest change of each key alone, on the test's own thread.
 */
import { Buffer } from 'node:buffer'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { RedisServer } from '@freshet/adapters/redis/redis-server.kit.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { Change } from '@freshet/records/change.ts'
import { CHANGE_HEADER, encodeChangeHeader } from '@freshet/records/change.ts'
import { DEAD_LETTER_HEADER, deadLetterRecord } from '@freshet/records/dead-letter.ts'
import { decodeScoreBatch } from '@freshet/records/score-batch.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { DeadLetters } from './dead-letters.ts'
import { runInfer } from './infer-worker.ts'
import { runScorer } from './main.ts'
import { World, withScorer } from './world.kit.ts'

const DEADLINE = { timeout: 45_000, interval: 100 }
const page = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }

let world: World
beforeEach(async () => {
  world = await World.open({ FRESHET_SCORER_WORKERS: 'infer,cache' })
})
afterEach(async () => {
  await world[Symbol.asyncDispose]()
})

function change(id: number, seqNo: number, source: string | null = flight(id, seqNo)): Change {
  return {
    key: Buffer.from(`flights/${id}`),
    revision: { documentVersion: 0, epoch: 1_764_000_000_000, primaryTerm: 1, seqNo },
    capturedAtMs: 1_764_000_000_000 + seqNo,
    source: source === null ? null : Buffer.from(source),
    trace: page,
  }
}

function flight(id: number, delay: number): string {
  const { document } = world.bundle.golden[id % world.bundle.golden.length]!
  return JSON.stringify({ ...document, dep_delay: delay % 180 })
}

/** 500 flights, of which some changed, some were deleted, and some cannot be scored. */
function changes(): Change[] {
  const first = Array.from({ length: 500 }, (_, id) => change(id, id))
  const changed = Array.from({ length: 100 }, (_, id) => change(id, 1_000 + id))
  const deleted = [200, 201, 202].map((id) => change(id, 2_000 + id, null))
  const poison = [change(300, 2_300, '{"distance":'), change(301, 2_301, '{"carrier":"AA"}')]
  return [...first, ...changed, ...deleted, ...poison]
}

async function expectConserved(all: readonly Change[]): Promise<void> {
  const expected = await world.expected(all)
  await vi.waitFor(async () => {
    const found = await world.stored(expected.keys())
    for (const [key, { state, outputs }] of expected) {
      expect(found.get(key), key).toMatchObject({ state })
      for (const [name, value] of Object.entries(outputs))
        expect(found.get(key)!.outputs[name], `${name} of ${key}`).toBeCloseTo(value, 4)
    }
  }, DEADLINE)
}

function letters(messages: Awaited<ReturnType<World['read']>>) {
  return messages.map((message) => deadLetterRecord.decode(message.headers[DEAD_LETTER_HEADER]!))
}

describe('the scorer', () => {
  test('leaves in Redis what a plain reference computes, whatever stands beside it in a batch', async () => {
    const all = changes()
    await world.write(all)
    await withScorer(world, () => expectConserved(all))

    // They come from two partitions, which are scored side by side: either may die first. Each comes at least once.
    const letterOf = new Map((await world.read('dead')).map((letter) => [letter.key!.toString(), letter]))
    const dead = [...letterOf.values()].toSorted((a, b) => Buffer.compare(a.key!, b.key!))
    expect(letters(dead)).toMatchObject([
      { code: 'DOCUMENT_NOT_JSON', model: 'arrival-delay@1' },
      { code: 'FIELD_MISSING', at: '/scheduled_minutes' },
    ])
    const [poison] = dead
    expect(poison!.key).toEqual(Buffer.from('flights/300'))
    expect(poison!.value).toEqual(Buffer.from('{"distance":'))
    expect(poison!.headers[CHANGE_HEADER]).toEqual(encodeChangeHeader(change(300, 2_300, '{"distance":')))
    const { 'freshet.scorer.dead': died, 'freshet.scorer.deleted': deleted } = world.metrics.values()
    expect(died).toBeGreaterThanOrEqual(2)
    expect(deleted).toBeGreaterThanOrEqual(3)
  })

  test('leaves the same state after the same changes came twice', async () => {
    const all = changes()
    await world.write(all)
    await withScorer(world, () => expectConserved(all))
    const keys = new Set(all.map(({ key }) => key.toString()))
    const once = await world.stored(keys)
    const rows = world.metrics.values()['freshet.cache.rows']!
    await world.write(all)
    await withScorer(world, () =>
      vi.waitFor(
        () => expect(world.metrics.values()['freshet.cache.rows']).toBeGreaterThanOrEqual(rows + all.length),
        DEADLINE,
      ),
    )
    expect(await world.stored(keys)).toEqual(once)
  })

  test('ends with a name for it when the poller is newer, and takes nothing of it for done', async () => {
    const header = encodeChangeHeader(change(1, 1))
    header[0] = 2
    const newer = {
      partition: 0,
      key: Buffer.from('a'),
      value: Buffer.from('{}'),
      headers: { [CHANGE_HEADER]: header },
    }
    await world.producer.send(world.topic('changes'), [newer], AbortSignal.timeout(10_000))
    await expect(runScorer(world.context(AbortSignal.timeout(30_000)))).rejects.toMatchObject({
      code: 'RECORD_VERSION',
      message: 'offset 0: change version 2, this build reads 1',
    })
    expect(await world.read('dead')).toEqual([])
  })

  test('links its batch to the span of the poller, and hands its own on with the scores', async () => {
    await world.write([change(1, 1), change(1, 2)])
    await withScorer(world, () => expectConserved([change(1, 2)]))
    const find = (name: string) => world.spans.getFinishedSpans().find((span) => span.name === name)!
    const infer = find(`process ${world.topic('changes')}`)
    expect(infer.links.map(({ context }) => context.spanId)).toEqual([page.spanId])
    const [scores] = await world.read('scores')
    const { trace } = decodeScoreBatch(scores!.value!).header
    expect(trace!.spanId).toBe(infer.spanContext().spanId)
    const cache = find(`process ${world.topic('scores')}`)
    expect(cache.links.map(({ context }) => context.spanId)).toEqual([trace!.spanId])
  })
})

describe('a scorer that dies', () => {
  /** As a process that is killed: nothing after this send happens. */
  class DyingProducer extends Producer {
    dieBefore = ''
    dieAfter = ''
    override async send(...args: Parameters<Producer['send']>): Promise<void> {
      if (args[0] === this.dieBefore) throw new FreshetError('USAGE', 'killed')
      await super.send(...args)
      if (args[0] === this.dieAfter) throw new FreshetError('USAGE', 'killed')
    }
  }

  test.each([
    ['before its dead letters', 'dieBefore', 'dead'],
    ['between dead letters and scores', 'dieBefore', 'scores'],
    ['between scores and the offset', 'dieAfter', 'scores'],
  ] as const)('%s loses nothing', async (_, when, topic) => {
    const all = changes()
    await world.write(all)
    const { settings, connection } = world
    const context = world.context(AbortSignal.timeout(30_000))
    const { telemetry } = context
    await using producer = new DyingProducer(connection, {
      clock: systemClock,
      log: telemetry.log,
      deadlineMs: 10_000,
    })
    producer[when] = world.topic(topic)
    const deadLetters = new DeadLetters({
      pipeline: settings.pipeline,
      producer,
      telemetry,
      clock: systemClock,
    })
    await using store = openS3(settings.s3)
    const deps = { connection, producer, deadLetters, store, clock: systemClock }
    await expect(runInfer(context, deps)).rejects.toMatchObject({ message: 'killed' })

    await withScorer(world, () => expectConserved(all))
    const reasons = new Set(letters(await world.read('dead')).map(({ code }) => code))
    expect(reasons).toEqual(new Set(['DOCUMENT_NOT_JSON', 'FIELD_MISSING']))
  })
})

describe('a cache', () => {
  test('sets aside with its bytes what is no score batch, and goes on', async () => {
    const garbage = { partition: 0, key: null, value: Buffer.from('\u0001 is no score batch') }
    await world.producer.send(world.topic('scores'), [garbage], AbortSignal.timeout(10_000))
    const all = changes()
    await world.write(all)
    await withScorer(world, () => expectConserved(all))
    const dead = await world.read('dead')
    expect(dead.find(({ key }) => key === null)!.value).toEqual(garbage.value)
    expect(letters(dead)).toContainEqual(expect.objectContaining({ code: 'RECORD_MALFORMED' }))
  })

  test('that is away and comes back empty gets all that was scored meanwhile', async () => {
    await using redis = await RedisServer.start()
    await world[Symbol.asyncDispose]()
    world = await World.open({ FRESHET_SCORER_WORKERS: 'infer,cache', FRESHET_REDIS_URL: redis.url })
    const before = [change(1, 1)]
    const all = Array.from({ length: 100 }, (_, id) => change(id + 10, id))
    await world.write(before)
    await withScorer(world, async () => {
      await expectConserved(before)
      await redis.kill()
      await world.write(all)
      await vi.waitFor(() => expect(world.metrics.values()['freshet.scorer.scored']).toBe(101), DEADLINE)
      await redis.restart()
      await expectConserved(all)
    })
  })
})
