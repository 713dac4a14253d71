/*
 * What is proved: the documents that go straight to Elasticsearch are those that the OpenTelemetry Collector would have
 * written of the same signals. The recording is of the real Collector (which and how: test/collector/README.md); both sides
 * got the same spans, log records and metrics. Compared parsed and as sets: the Collector writes in any order, and leaves
 * leading zeros out of nanoseconds, which Elasticsearch takes for another time. Ours has six digits.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dataStreamName, type TelemetryDocument } from './document.ts'
import { logDocument } from './log-document.ts'
import { metricDocuments } from './metric-documents.ts'
import { NAMESPACE, recordedSignals } from './recorded-signals.kit.ts'
import { spanDocument, spanEventDocuments } from './span-documents.ts'

interface Written {
  readonly index: string
  readonly document: TelemetryDocument
}

const { spans, logs, metrics } = await recordedSignals()
const ours: Record<string, readonly TelemetryDocument[]> = {
  spans: spans.map((span) => spanDocument(span, NAMESPACE)),
  'events of spans': spans.flatMap((span) => spanEventDocuments(span, NAMESPACE)),
  'log records': logs.map((record) => logDocument(record, NAMESPACE)),
  metrics: metricDocuments(metrics, NAMESPACE),
}

const recorded: readonly Written[] = readFileSync(
  join(import.meta.dirname, 'golden', 'collector-0.157.0.ndjson'),
  'utf8',
)
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Written)

const kindOf = ({ index, document }: Written) => {
  if (index.startsWith('traces-')) return 'spans'
  if (index.startsWith('metrics-')) return 'metrics'
  return 'observed_timestamp' in document ? 'log records' : 'events of spans'
}

test.each(Object.entries(ours))('%s are written as the Collector writes them', (kind, documents) => {
  const theirs = recorded.filter((written) => kindOf(written) === kind)
  expect(theirs.length).toBeGreaterThan(0)
  const ofOurs = documents.map((document) => ({
    index: dataStreamName(document['data_stream'] as Parameters<typeof dataStreamName>[0]),
    document: JSON.parse(JSON.stringify(document)) as TelemetryDocument,
  }))
  expect(sorted(ofOurs)).toEqual(sorted(theirs))
})

function sorted(all: readonly Written[]): readonly Written[] {
  const parsed = all.map(({ index, document }) => ({
    index,
    document: {
      ...document,
      '@timestamp': instant(document['@timestamp']),
      observed_timestamp: instant(document['observed_timestamp']),
    },
  }))
  return parsed.sort((a, b) => (order(a) < order(b) ? -1 : 1))
}

const order = ({ index, document }: Written) =>
  JSON.stringify([
    index,
    document['@timestamp'],
    document['attributes'],
    document['unit'],
    document['span_id'],
  ])

/** Milliseconds and the nanoseconds beside them, however many digits they are written with. */
function instant(value: unknown): unknown {
  if (typeof value !== 'string') return value
  const [ms, ns] = value.split('.')
  return { ms: Number(ms), ns: Number(ns) }
}

test('nanoseconds have six digits, since Elasticsearch reads them as a fraction', () => {
  for (const document of [...ours['spans']!, ...ours['events of spans']!, ...ours['log records']!])
    expect(document['@timestamp']).toMatch(/^\d{13}\.\d{6}$/)
})
