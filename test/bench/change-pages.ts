import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import type { OutgoingMessage } from '@freshet/adapters/kafka/producer.ts'
import type { Flight } from '@freshet/demo/flights.ts'
import { CHANGE_HEADER, encodeChangeHeader } from '@freshet/records/change.ts'
import type { Stack } from '../stack.ts'

/** What the poller sends for these documents, page by page: a page has one trace and one time. */
export function* changePages(stack: Stack, flights: readonly Flight[]): Generator<OutgoingMessage[]> {
  const { elasticsearch, kafka } = stack.settings
  for (let from = 0; from < flights.length; from += elasticsearch.pageRows) {
    const trace = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex') }
    const capturedAtMs = Date.now()
    yield flights.slice(from, from + elasticsearch.pageRows).map(({ id, document }, row): OutgoingMessage => {
      const key = Buffer.from(`${stack.index}/${id}`)
      const source = Buffer.from(JSON.stringify(document))
      const revision = { documentVersion: 0, epoch: capturedAtMs, primaryTerm: 1, seqNo: from + row }
      return {
        partition: partitionOf(key, kafka.partitions),
        key,
        value: source,
        headers: { [CHANGE_HEADER]: encodeChangeHeader({ key, source, revision, capturedAtMs, trace }) },
        timestampMs: capturedAtMs,
      }
    })
  }
}
