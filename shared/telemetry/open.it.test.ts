import { randomUUID } from 'node:crypto'
import { loadSettings } from '@freshet/config/load.ts'
import { expect, onTestFinished, test } from 'vitest'
import { connectTelemetry } from './elasticsearch/connect.ts'
import { installTemplates } from './elasticsearch/template.ts'
import { openTelemetry } from './open.ts'
import { inSpan, linksTo, messagingSpan, traceContextOf } from './spans.ts'

function ownSettings() {
  const settings = loadSettings({ env: process.env })
  const namespace = `test_${randomUUID().replaceAll('-', '')}`
  return { ...settings, telemetry: { ...settings.telemetry, enabled: true, namespace } }
}

test('spans and logs arrive, join by trace, and answer percentiles of duration by service', async () => {
  const settings = ownSettings()
  const { namespace } = settings.telemetry
  const [traces, logs] = [`traces-freshet.otel-${namespace}`, `logs-freshet.otel-${namespace}`]
  const { client } = connectTelemetry(settings)
  onTestFinished(async () => {
    await client.indices.delete({ index: [traces, logs] }, { ignore: [404] })
    await client.close()
  })
  await installTemplates(settings, Date.now())
  for (const service of ['poller', 'scorer']) await work(settings, service)
  await client.indices.refresh({ index: [traces, logs] })

  const found = await client.search<unknown, Record<string, { buckets: Bucket[] }>>({
    index: traces,
    size: 0,
    aggs: {
      services: {
        terms: { field: 'service.name' },
        aggs: {
          duration: { percentiles: { field: 'duration', percents: [50, 99] } },
          messages: { sum: { field: 'messaging.batch.message_count' } },
        },
      },
    },
  })
  const buckets = found.aggregations!.services!.buckets
  expect(buckets.map(({ key, doc_count }) => [key, doc_count])).toEqual([
    ['poller', 2],
    ['scorer', 2],
  ])
  for (const { duration, messages } of buckets) {
    expect(duration.values['50.0']).toBeGreaterThan(0)
    expect(messages.value).toBe(64)
  }

  const span = await client.search<{ trace_id: string }>({
    index: traces,
    query: { term: { kind: 'Consumer' } },
  })
  const traceId = span.hits.hits[0]!._source!.trace_id
  const lines = await client.search<{ body: { text: string } }>({
    index: logs,
    query: { bool: { filter: [{ term: { 'trace.id': traceId } }, { term: { 'log.level': 'WARN' } }] } },
  })
  expect(lines.hits.hits.map(({ _source }) => _source!.body.text)).toEqual(['one row is odd'])
})

interface Bucket {
  readonly key: string
  readonly doc_count: number
  readonly duration: { readonly values: Readonly<Record<string, number>> }
  readonly messages: { readonly value: number }
}

/** One send and the batch that links to it. */
async function work(settings: ReturnType<typeof ownSettings>, service: string) {
  await using telemetry = openTelemetry({ settings, service, instance: `${service}-1`, format: 'json' })
  const { tracer, log } = telemetry
  const producer = await inSpan(tracer, messagingSpan('send', { topic: 'air.changes' }), async (span) =>
    traceContextOf(span),
  )
  const links = linksTo([producer])
  await inSpan(tracer, messagingSpan('process', { topic: 'air.changes', messages: 64, links }), async () =>
    log.warn('one row is odd', { 'freshet.rows': 1 }),
  )
}
