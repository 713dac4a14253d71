import { Buffer } from 'node:buffer'
import type { Revision } from '@freshet/records/revision.ts'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ChosenIds } from './chosen-ids.ts'
import { DocumentNames } from './document-names.ts'
import { isSampled, sampleBelow } from './sample.ts'
import { type DocumentStep, type TraceableRows, TracedDocuments } from './traced-documents.ts'

const revision: Revision = { documentVersion: 0, epoch: 1_700_000_000_000, primaryTerm: 1, seqNo: 7 }
const step: DocumentStep = {
  step: 'score',
  reason: 'order',
  key: 'flights/UA-1',
  revision,
  generation: 3,
  asOfMs: 1_700_000_001_000,
  beganAtMs: 1_700_000_001_200,
  endedAtMs: 1_700_000_001_250,
  after: 'capture',
  together: [{ traceId: 'b'.repeat(32), spanId: 'b'.repeat(16) }],
}

/** A service that traces, and the spans that it leaves. */
function service({
  oneIn = 0,
  isOff = false,
  pipeline = 'air',
  salt = undefined as string | undefined,
} = {}) {
  const exporter = new InMemorySpanExporter()
  const ids = new ChosenIds()
  const provider = new BasicTracerProvider({
    idGenerator: ids,
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  })
  const tracer = provider.getTracer('test')
  const names = new DocumentNames(pipeline, salt)
  const traced = new TracedDocuments({ tracer, ids, names, oneIn, isOff })
  return { traced, tracer, spans: () => exporter.getFinishedSpans() }
}

function rowsOf(documents: readonly { readonly key: string; readonly seqNo: number }[]): TraceableRows {
  const keys = documents.map(({ key }) => Buffer.from(key))
  const keyOffsets = new Uint32Array(keys.length + 1)
  for (const [row, key] of keys.entries()) keyOffsets[row + 1] = keyOffsets[row]! + key.length
  const seqNos = Float64Array.from(documents, ({ seqNo }) => seqNo)
  return { count: documents.length, keys: Uint8Array.from(Buffer.concat(keys)), keyOffsets, seqNos }
}

describe('the sample', () => {
  test('is about one in N of any stretch of sequence numbers, wherever it begins', () => {
    const stretch = fc.record({
      oneIn: fc.integer({ min: 1, max: 1_000 }),
      from: fc.integer({ min: 0, max: 2 ** 53 - 2_000_000 }),
    })
    fc.assert(
      fc.property(stretch, ({ oneIn, from }) => {
        const below = sampleBelow(oneIn)
        let sampled = 0
        for (let seqNo = from; seqNo < from + oneIn * 100; seqNo++) if (isSampled(seqNo, below)) sampled++
        expect(sampled).toBeGreaterThan(60)
        expect(sampled).toBeLessThan(150)
      }),
      { numRuns: 100 },
    )
  })

  test('of one in one is all, of 0 is nothing', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (seqNo) => {
        expect([isSampled(seqNo, sampleBelow(1)), isSampled(seqNo, sampleBelow(0))]).toEqual([true, false])
      }),
    )
  })

  test('has the same documents row by row and one by one', () => {
    const { traced } = service({ oneIn: 10 })
    const documents = Array.from({ length: 1_000 }, (_, seqNo) => ({ key: `flights/${seqNo}`, seqNo }))
    const oneByOne = documents.filter(({ seqNo, key }) => traced.reasonOf(seqNo, key, false) === 'sample')
    expect(traced.rowsOf(rowsOf(documents), 0).map(({ row }) => documents[row])).toEqual(oneByOne)
    expect(oneByOne.length).toBeGreaterThan(90)
  })

  test('makes no list for a batch without any of it', () => {
    const { traced } = service({ oneIn: 1_000_000 })
    const rows = rowsOf([{ key: 'a', seqNo: 5 }])
    expect(traced.rowsOf(rows, 0)).toBe(traced.rowsOf(rows, 0))
  })
})

describe('documents that somebody named', () => {
  test('are found among others, until their time is over', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1 }), fc.nat(), (keys, pick) => {
        const { traced } = service()
        const row = pick % keys.length
        traced.orders.put({ key: keys[row]!, untilMs: 2_000 }, 1_000)
        const rows = rowsOf(keys.map((key, seqNo) => ({ key, seqNo })))
        // Half of a surrogate pair is the same three bytes in any key.
        const bytes = (key: string) => Buffer.from(key).toString('hex')
        const same = keys.flatMap((key, at) => (bytes(key) === bytes(keys[row]!) ? [at] : []))
        expect(traced.rowsOf(rows, 1_999)).toEqual(same.map((at) => ({ row: at, reason: 'order' })))
        expect(traced.rowsOf(rows, 2_000)).toEqual([])
      }),
    )
  })

  test('are known by text as by bytes, and forgotten when the order is taken back', () => {
    const { traced } = service()
    traced.orders.put({ key: 'flüge/1', untilMs: 2_000 }, 1_000)
    expect(traced.areOrdered(1_500)).toBe(true)
    expect(traced.reasonOf(1, 'flüge/1', true)).toBe('order')
    expect(traced.reasonOf(1, Buffer.from('flüge/1'), true)).toBe('order')
    expect(traced.reasonOf(1, 'flüge/2', true)).toBeNull()
    traced.orders.put({ key: 'flüge/1', untilMs: 0 }, 1_500)
    expect(traced.areOrdered(1_500)).toBe(false)
  })

  test('are a hundred at most: the order that ends first gives way', () => {
    const { traced } = service()
    for (let at = 0; at < 150; at++) traced.orders.put({ key: `${at}`, untilMs: 10_000 + at }, 1_000)
    expect(traced.orders.list().map(({ key }) => key)).toEqual(
      Array.from({ length: 100 }, (_, at) => `${at + 50}`),
    )
  })

  test('are not traced where nobody takes spans', () => {
    const { traced } = service({ isOff: true, oneIn: 1 })
    traced.orders.put({ key: 'a', untilMs: 2_000 }, 1_000)
    expect(traced.rowsOf(rowsOf([{ key: 'a', seqNo: 0 }]), 1_500)).toEqual([])
  })
})

describe('the span of a step', () => {
  test('hangs in the trace of its revision below the step before, which another service left', () => {
    const poller = service()
    const scorer = service()
    poller.traced.leave({ ...step, step: 'capture', generation: 0, after: null })
    scorer.traced.leave(step)
    const [captured] = poller.spans()
    const [scored] = scorer.spans()
    expect(scored!.spanContext().traceId).toBe(captured!.spanContext().traceId)
    expect(captured!.parentSpanContext).toBeUndefined()
    expect(scored!.parentSpanContext).toMatchObject({
      spanId: captured!.spanContext().spanId,
      isRemote: true,
    })
    expect(scored).toMatchObject({
      name: 'score document',
      kind: SpanKind.CONSUMER,
      startTime: [1_700_000_001, 200_000_000],
      endTime: [1_700_000_001, 250_000_000],
      attributes: {
        'freshet.key': 'flights/UA-1',
        'freshet.document.step': 'score',
        'freshet.document.age_ms': 250,
        'freshet.document.seq_no': 7,
        'freshet.model.generation': 3,
        'freshet.trace.reason': 'order',
      },
      links: [{ context: { spanId: 'b'.repeat(16) } }],
    })
  })

  test('has the same id when it is done again, another one for another model, and by chance for each answer', () => {
    const { traced, spans } = service()
    for (const one of [step, step, { ...step, generation: 4 }]) traced.leave(one)
    for (const after of ['cache', 'cache'] as const) traced.leave({ ...step, step: 'answer', after })
    const [first, again, other, answer, second] = spans().map((span) => span.spanContext())
    expect(again).toEqual(first)
    expect(other!.spanId).not.toBe(first!.spanId)
    expect(answer!.spanId).not.toBe(second!.spanId)
    expect(new Set(spans().map((span) => span.spanContext().traceId)).size).toBe(1)
  })

  test('leaves the ids of all other spans to chance', () => {
    const { traced, tracer, spans } = service()
    traced.leave(step)
    tracer.startSpan('work').end()
    tracer.startSpan('work').end()
    expect(new Set(spans().map((span) => span.spanContext().traceId)).size).toBe(3)
  })

  test('says why the document goes no further', () => {
    const { traced, spans } = service()
    traced.leave({ ...step, failure: { code: 'FIELD_MISSING', message: '/distance is missing' } })
    expect(spans()[0]).toMatchObject({
      status: { code: SpanStatusCode.ERROR, message: '/distance is missing' },
      attributes: { 'error.type': 'FIELD_MISSING' },
    })
  })
})

describe('with a salt', () => {
  const plain = new DocumentNames('air', undefined)
  const salted = new DocumentNames('air', 'long and random')

  test('keys are shown as hashes, alike in every service and for nobody else', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 4 }), (key) => {
        expect(plain.shown(key)).toBe(key)
        expect(salted.shown(key)).toMatch(/^hashed:[0-9a-f]{32}$/)
        expect(salted.shown(key)).toBe(new DocumentNames('air', 'long and random').shown(key))
        expect(salted.shown(key)).not.toBe(new DocumentNames('air', 'another one').shown(key))
        expect(salted.traceIdOf(key, revision)).not.toBe(plain.traceIdOf(key, revision))
      }),
    )
  })
})

test('every revision of every document of every pipeline has a trace of its own', () => {
  const air = new DocumentNames('air', undefined)
  const ids = [
    air.traceIdOf('a', revision),
    air.traceIdOf('b', revision),
    air.traceIdOf('a', { ...revision, seqNo: 8 }),
    air.traceIdOf('a', { ...revision, epoch: revision.epoch + 1 }),
    new DocumentNames('rail', undefined).traceIdOf('a', revision),
  ]
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids).toEqual(ids.map(() => expect.stringMatching(/^[0-9a-f]{32}$/)))
})
