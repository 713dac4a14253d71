import { SeverityNumber } from '@opentelemetry/api-logs'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs'
import { expect, test } from 'vitest'
import { logDocument } from './log-document.ts'

const RESOURCE = {
  'service.name': 'scorer',
  'data_stream.dataset': 'freshet',
  'data_stream.namespace': 'test',
}

test('a log line is a document with severity and body, and the resource keeps what is for routing to itself', () => {
  const exporter = new InMemoryLogRecordExporter()
  const provider = new LoggerProvider({
    resource: resourceFromAttributes(RESOURCE),
    processors: [new SimpleLogRecordProcessor({ exporter })],
  })
  provider.getLogger('freshet.scorer', '0.1.0').emit({
    timestamp: 1_764_100_000_140,
    observedTimestamp: [1_764_100_000, 140_000_002],
    severityNumber: SeverityNumber.WARN,
    severityText: 'WARN',
    body: 'consumer lag is 5210',
    attributes: { 'freshet.rows': 5210, 'event.name': 'freshet.odd' },
  })
  expect(JSON.stringify(logDocument(exporter.getFinishedLogRecords()[0]!, 'test'))).toBe(
    '{"@timestamp":"1764100000140.000000","observed_timestamp":"1764100000140.000002",' +
      '"data_stream":{"type":"logs","dataset":"freshet.otel","namespace":"test"},' +
      '"severity_text":"WARN","severity_number":13,' +
      '"attributes":{"freshet.rows":5210,"event.name":"freshet.odd"},"event_name":"freshet.odd",' +
      '"resource":{"attributes":{"service.name":"scorer"}},' +
      '"scope":{"name":"freshet.scorer","version":"0.1.0"},' +
      '"body":{"text":"consumer lag is 5210"}}',
  )
})
