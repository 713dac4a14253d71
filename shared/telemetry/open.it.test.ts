import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadSettings } from '@freshet/config/load.ts'
import { expect, onTestFinished, test } from 'vitest'
import { hasDataStreams } from './elasticsearch/abilities.ts'
import { dayOf } from './elasticsearch/bulk-document.ts'
import { connectTelemetry } from './elasticsearch/connect.ts'
import { removeExpired } from './elasticsearch/retention.ts'
import { installTemplates } from './elasticsearch/template.ts'
import { openTelemetry } from './open.ts'
import { inSpan, linksTo, messagingSpan, traceContextOf } from './spans.ts'

function ownSettings() {
  const settings = loadSettings({ env: process.env })
  const namespace = `test_${randomUUID().replaceAll('-', '')}`
  return { ...settings, telemetry: { ...settings.telemetry, enabled: true, namespace } }
}

/** Templates are there, and what the test wrote is gone after it. */
async function prepared() {
  const settings = ownSettings()
  const { namespace } = settings.telemetry
  const { client } = connectTelemetry(settings)
  const names = async () => {
    const rows = await client.cat.indices({
      index: `*-freshet.otel-${namespace}*`,
      h: 'index',
      format: 'json',
    })
    return rows.map(({ index }) => index!)
  }
  onTestFinished(async () => {
    for (const index of await names()) await client.indices.delete({ index }, { ignore: [404] })
    await client.close()
  })
  await installTemplates(settings, Date.now())
  const ofSignal = (signal: string) => `${signal}-freshet.otel-${namespace}*`
  return {
    settings,
    client,
    names,
    traces: ofSignal('traces'),
    logs: ofSignal('logs'),
    metrics: ofSignal('metrics'),
  }
}

test('spans and logs arrive, join by trace, and answer percentiles of duration by service', async () => {
  const { settings, client, traces, logs } = await prepared()
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

test('counters add up over time, by label and by service, and gauges keep their fractions', async () => {
  const { settings, client, metrics } = await prepared()
  for (const answers of [3, 4]) {
    await using telemetry = openTelemetry({
      settings,
      service: 'gateway',
      instance: 'gateway-1',
      format: 'json',
    })
    telemetry.metrics.add('freshet.answers', answers, 'cache')
    telemetry.metrics.add('freshet.answers', 1, 'default')
    telemetry.metrics.set('freshet.sweep.duration', 12)
    telemetry.metrics.set('freshet.sweep.duration', 12.5)
    telemetry.metrics.record('freshet.answer.duration', 0.003, 'cache')
  }
  await client.indices.refresh({ index: metrics })
  const { aggregations, hits } = await client.search<unknown, Record<string, { buckets: Answers[] }>>({
    index: metrics,
    query: {
      bool: { filter: [{ term: { 'service.name': 'gateway' } }, { exists: { field: 'freshet.answers' } }] },
    },
    aggs: {
      sources: {
        terms: { field: 'freshet.answer.source' },
        aggs: { answers: { sum: { field: 'freshet.answers' } } },
      },
    },
  })
  expect(hits.hits).toHaveLength(4)
  const bySource = aggregations!['sources']!.buckets.map(({ key, answers }) => [key, answers.value])
  expect(Object.fromEntries(bySource)).toEqual({ cache: 7, default: 2 })
  const gauges = await client.search({
    index: metrics,
    size: 0,
    aggs: { longest: { max: { field: 'freshet.sweep.duration' } } },
  })
  expect(gauges.aggregations!['longest']).toMatchObject({ value: 12.5 })
})

interface Answers {
  readonly key: string
  readonly answers: { readonly value: number }
}

test('what the Collector writes goes in under our templates as it is', async () => {
  const { settings, client, traces, logs, metrics } = await prepared()
  const { namespace } = settings.telemetry
  const lines = readFileSync(join(import.meta.dirname, 'documents/golden/collector-0.157.0.ndjson'), 'utf8')
  const recorded = lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Recorded)
  const bulkBody = recorded.flatMap(({ index, dynamic_templates, document }) => [
    {
      create: {
        _index: index.replace(/golden$/, namespace),
        ...(dynamic_templates && { dynamic_templates }),
      },
    },
    document,
  ])
  const { errors, items } = await client.bulk({ operations: bulkBody, refresh: true })
  expect(errors, JSON.stringify(items.filter(({ create }) => create?.error))).toBe(false)
  const found = async (index: string, query: object) => (await client.count({ index, query })).count
  expect(await found(traces, { term: { 'service.name': 'scorer' } })).toBe(5)
  expect(await found(logs, { term: { 'log.level': 'WARN' } })).toBe(1)
  expect(await found(metrics, { range: { 'freshet.scorer.scored': { gte: 1_200 } } })).toBe(1)
})

interface Recorded {
  readonly index: string
  readonly dynamic_templates?: Record<string, string>
  readonly document: object
}

test('documents go to the index of their day where there are no data streams, and old days are deleted', async (context) => {
  const { settings, client, names } = await prepared()
  if (await hasDataStreams(client)) return context.skip('this server keeps retention by itself')
  const { namespace } = settings.telemetry
  await work(settings, 'scorer')
  const today = dayOf(Date.now())
  const daysAgo = (days: number) => dayOf(Date.now() - days * 86_400_000)
  const old = ['traces', 'logs', 'metrics'].map(
    (signal) => `${signal}-freshet.otel-${namespace}-${daysAgo(40)}`,
  )
  const younger = `logs-freshet.otel-${namespace}-${daysAgo(20)}`
  for (const index of [...old, younger]) await client.indices.create({ index })
  expect((await names()).filter((name) => name.endsWith(today)).sort()).toEqual([
    `logs-freshet.otel-${namespace}-${today}`,
    `metrics-freshet.otel-${namespace}-${today}`,
    `traces-freshet.otel-${namespace}-${today}`,
  ])
  expect((await removeExpired(client, settings.telemetry, { nowMs: Date.now() })).sort()).toEqual(old.sort())
  expect(await names()).toHaveLength(4)
  await installTemplates(settings, Date.now() + 20 * 86_400_000)
  expect((await names()).filter((name) => name !== younger)).toHaveLength(3 - 1)
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
  const { tracer, log, metrics } = telemetry
  metrics.add('freshet.scorer.scored', 64)
  const producer = await inSpan(tracer, messagingSpan('send', { topic: 'air.changes' }), async (span) =>
    traceContextOf(span),
  )
  const links = linksTo([producer])
  await inSpan(tracer, messagingSpan('process', { topic: 'air.changes', messages: 64, links }), async () =>
    log.warn('one row is odd', { 'freshet.rows': 1 }),
  )
}
