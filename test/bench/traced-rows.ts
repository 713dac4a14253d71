/**
 * What it costs to follow documents: looking for those that are traced, by the row, and the span of one. CPU time of this
 * process, the JSON of each span and its way into the queue included; nothing is sent. Printed as JSON:
 * `node test/bench/traced-rows.ts`.
 */
import { Buffer } from 'node:buffer'
import { settingsSchema } from '@freshet/config/schema.ts'
import { emptyRows } from '@freshet/records/score-batch.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import type { TracedDocuments } from '@freshet/telemetry/traced/traced-documents.ts'
import { costOf } from './cost.ts'
import { openBenchTelemetry } from './in-process.ts'

const BATCH_ROWS = 1_000
const BATCHES = 3_000
const SPANS = 10_000
const LOOKUPS = 2_000_000
const ROUNDS = 5
const { traceOneIn } = settingsSchema.parse({}).telemetry

/** As the services have it, but before an Elasticsearch that is away: what waits for it is made, and dropped. */
function open(oneIn: number): Telemetry {
  const telemetry = { traceOneIn: oneIn, url: 'http://127.0.0.1:9', logLevel: 'error' }
  return openBenchTelemetry(settingsSchema.parse({ telemetry }))
}

await using without = open(0)
await using sampling = open(traceOneIn)

function withOrders({ traced }: Telemetry, orders: number): TracedDocuments {
  for (let at = 0; at < orders; at++)
    traced.orders.put(
      { key: `flights/2013-01-15-UA-${4_000 + at}-XXX`, untilMs: Number.POSITIVE_INFINITY },
      0,
    )
  return traced
}

/** Keys of the same length as those that are ordered: the worst case. */
function batchOf(from: number) {
  const keys = Array.from({ length: BATCH_ROWS }, (_, row) =>
    Buffer.from(`flights/2013-01-15-UA-${1_000 + row}-EWR`),
  )
  const rows = emptyRows(
    BATCH_ROWS,
    keys.reduce((sum, { length }) => sum + length, 0),
    0,
  )
  rows.keys.set(Buffer.concat(keys))
  for (const [row, { length }] of keys.entries()) {
    rows.keyOffsets[row + 1] = rows.keyOffsets[row]! + length
    rows.seqNos[row] = from + row
  }
  return rows
}

async function nanosARow(traced: TracedDocuments): Promise<number> {
  const rows = batchOf(0)
  let found = 0
  const { cpuMicros } = await costOf(async () => {
    for (let batch = 0; batch < BATCHES; batch++) {
      rows.seqNos[0] = batch
      found += traced.rowsOf(rows, batch).length
    }
  })
  if (found < 0) throw new Error('nothing was looked at')
  return (cpuMicros * 1_000) / (BATCHES * BATCH_ROWS)
}

async function nanosAnAnswer(traced: TracedDocuments): Promise<number> {
  let found = 0
  const { cpuMicros } = await costOf(async () => {
    for (let at = 0; at < LOOKUPS; at++)
      if (traced.reasonOf(at, 'flights/2013-01-15-UA-1545-EWR', !traced.orders.isEmpty) !== null) found++
  })
  if (found < 0) throw new Error('nothing was looked at')
  return (cpuMicros * 1_000) / LOOKUPS
}

async function microsASpan(traced: TracedDocuments): Promise<number> {
  const { cpuMicros } = await costOf(async () => {
    for (let seqNo = 0; seqNo < SPANS; seqNo++)
      traced.leave({
        ...{ step: 'score', after: 'capture', reason: 'sample', key: `flights/2013-01-15-UA-${seqNo}-EWR` },
        revision: { documentVersion: 0, epoch: 1_700_000_000_000, primaryTerm: 1, seqNo },
        ...{ generation: 1, asOfMs: 1_700_000_000_000, beganAtMs: 1_700_000_000_010 },
        endedAtMs: 1_700_000_000_020,
        together: [{ traceId: 'a'.repeat(32), spanId: 'a'.repeat(16) }],
        attributes: {
          'freshet.model': 'delay@1',
          'freshet.document.state': 'scored',
          'messaging.system': 'kafka',
          'messaging.destination.name': 'bench.changes',
          'messaging.destination.partition.id': '3',
          'messaging.kafka.offset': seqNo,
        },
      })
  })
  return cpuMicros / SPANS
}

async function best(measure: () => Promise<number>): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) least = Math.min(least, await measure())
  return Number(least.toPrecision(3))
}

const { traced } = sampling
const figures = {
  traceOneIn,
  nanosARow: {
    off: await best(() => nanosARow(without.traced)),
    sample: await best(() => nanosARow(traced)),
    sampleAndOneOrder: await best(() => nanosARow(withOrders(sampling, 1))),
    sampleAndHundredOrders: await best(() => nanosARow(withOrders(sampling, 100))),
  },
  nanosAnAnswer: {
    sample: await best(() => nanosAnAnswer(without.traced)),
    sampleAndHundredOrders: await best(() => nanosAnAnswer(traced)),
  },
  microsASpan: await best(() => microsASpan(traced)),
}
process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`)
