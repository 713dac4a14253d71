import { describe, expect, test } from 'vitest'
import { describeJourneys, describeWaiting } from './describe-journey.ts'
import { hasArrived, journeysOf, type SeenStep } from './journey.ts'

const AT = Date.UTC(2026, 10, 24, 14, 2, 11, 120)

function seen(step: string, beganAtMs: number, more: Partial<SeenStep> = {}): SeenStep {
  return {
    ...{ step, traceId: 'a'.repeat(32), spanId: `${step}1`, beganAtMs, tookMs: 12.34, ageMs: 60 },
    ...{ service: 'scorer', instance: 'scorer-box1-7', failure: null },
    ...more,
    attributes: { 'freshet.document.seq_no': 1042, ...more.attributes },
  }
}

const way = [
  seen('snapshot', AT + 90, { tookMs: 20_400, ageMs: 20_490 }),
  seen('cache', AT + 60, { tookMs: 3, ageMs: 63 }),
  seen('score', AT + 40, {
    attributes: {
      'freshet.model': 'delay@1',
      'messaging.destination.partition.id': '3',
      'messaging.kafka.offset': 99,
    },
  }),
  seen('capture', AT, { attributes: { 'freshet.source.index': 'flights' } }),
  seen('answer', AT + 29_400, {
    tookMs: 0.8,
    attributes: {
      'http.response.status_code': 200,
      'freshet.answer.source': 'cache',
      'freshet.answer.age_ms': 29_400,
    },
  }),
]

describe('a journey', () => {
  test('has the steps of one change in the order of time, each once', () => {
    const [journey, ...others] = journeysOf([...way, way[0]!])
    expect(others).toEqual([])
    expect(journey).toMatchObject({ seqNo: 1042, missing: [], isOver: false })
    expect(journey!.steps.map(({ step }) => step)).toEqual([
      'capture',
      'score',
      'cache',
      'snapshot',
      'answer',
    ])
  })

  test('is for each change another one, the newest last', () => {
    const before = seen('capture', AT - 1_000, { traceId: 'b'.repeat(32) })
    expect(journeysOf([...way, before]).map(({ traceId }) => traceId[0])).toEqual(['b', 'a'])
  })

  test('names what is not seen yet; a document that cannot travel is not waited for', () => {
    expect(journeysOf(way.slice(2, 4))[0]!.missing).toEqual(['cache', 'snapshot'])
    const failure = { code: 'DOCUMENT_TOO_LARGE', message: 'too many bytes' }
    expect(journeysOf([seen('capture', AT, { failure })])[0]).toMatchObject({ missing: [], isOver: true })
  })

  test('has arrived when a change of after the order came all the way', () => {
    expect(hasArrived(journeysOf(way), AT)).toBe(true)
    expect(hasArrived(journeysOf(way), AT + 1)).toBe(false)
    expect(hasArrived(journeysOf(way.slice(1)), AT)).toBe(false)
    expect(hasArrived([], AT)).toBe(false)
  })
})

describe('the timeline', () => {
  test('says of each step when, how long, where and what came of it', () => {
    expect(describeJourneys('flights/UA-1', journeysOf(way), 3)).toBe(`\
flights/UA-1: change 1042, 2026-11-24T14:02:11.120Z
  +0.0 ms  capture   took 12 ms   scorer-box1-7  from flights, sent to Kafka
  +40 ms   score     took 12 ms   scorer-box1-7  by delay@1, partition 3 offset 99
  +60 ms   cache     took 3.0 ms  scorer-box1-7  in Redis 63 ms after it was seen
  +90 ms   snapshot  took 20.4 s  scorer-box1-7  in the snapshot 20.5 s after it was seen
  +29.4 s  answer    took 0.8 ms  scorer-box1-7  200, from cache, 29.4 s old
  trace ${'a'.repeat(32)}

`)
  })

  test('says what is missing, and why a document was set aside', () => {
    const failure = { code: 'FIELD_MISSING', message: '/distance is missing' }
    const text = describeJourneys('a', journeysOf([way[3]!, seen('score', AT + 40, { failure })]), 3)
    expect(text).toContain('set aside: FIELD_MISSING, /distance is missing')
    expect(text).toContain('not seen yet: cache, snapshot')
  })

  test('leaves out what is long ago', () => {
    const many = Array.from({ length: 5 }, (_, at) =>
      seen('capture', AT + at, { traceId: String(at).repeat(32), spanId: `${at}` }),
    )
    const text = describeJourneys('a', journeysOf(many), 2)
    expect(text).toMatch(/^3 earlier ones are left out/)
    expect(text).not.toContain('2'.repeat(32))
    expect(text).toContain('3'.repeat(32))
  })
})

describe('while nothing has come', () => {
  const times = { orderedAtMs: AT + 60_000, untilMs: AT + 660_000 }

  test('it is said that nothing changed, and what would bring something', () => {
    const text = describeWaiting('flights/UA 1', journeysOf(way), times)
    expect(text).toContain('nothing of flights/UA 1 was seen')
    expect(text).toContain('It is traced until 2026-11-24T14:13:11.120Z')
    expect(text).toContain('GET /v1/scores/flights/UA%201')
  })

  test('what has come so far is not denied', () => {
    const part = journeysOf([seen('capture', AT + 61_000)])
    expect(describeWaiting('a', part, times)).toMatch(/^a is traced until .*; ask again/)
  })
})
