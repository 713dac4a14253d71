import { expect, test } from 'vitest'
import { OPTIONAL_TYPES } from './mappings.ts'
import { indexTemplate } from './template.ts'

const RETENTION = { tracesDays: 7, logsDays: 30, metricsDays: 30 }

test('a server with data streams gets them, the stock field types, and an end to old data', () => {
  const types = new Set(OPTIONAL_TYPES)
  expect(
    indexTemplate('traces', { dataStreams: true, types, ignoresBeyondLimit: true }, RETENTION),
  ).toMatchObject({
    index_patterns: ['traces-freshet.otel-*'],
    data_stream: {},
    template: {
      lifecycle: { data_retention: '7d' },
      settings: { 'index.mapping.total_fields.ignore_dynamic_beyond_limit': true },
      mappings: {
        properties: {
          data_stream: { properties: { type: { type: 'constant_keyword' } } },
          body: { properties: { text: { type: 'match_only_text' } } },
          attributes: { type: 'passthrough', priority: 20 },
        },
      },
    },
  })
})

test('a small server gets plain indices, with types that it has', () => {
  const abilities = { dataStreams: false, types: new Set<never>(), ignoresBeyondLimit: false }
  const template = indexTemplate('logs', abilities, RETENTION)
  expect(template).not.toHaveProperty('data_stream')
  expect(template).toMatchObject({
    index_patterns: ['logs-freshet.otel-*'],
    template: {
      mappings: {
        properties: {
          data_stream: { properties: { type: { type: 'keyword' } } },
          body: { properties: { text: { type: 'text' } } },
          attributes: { type: 'object', properties: { 'exception.stacktrace': { type: 'text' } } },
        },
      },
    },
  })
})
