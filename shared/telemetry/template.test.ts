import { expect, test } from 'vitest'
import { indexTemplate } from './template.ts'

test('a server with data streams gets them, the stock field types, and an end to old data', () => {
  const types = new Set(['constant_keyword', 'match_only_text', 'version', 'wildcard'] as const)
  expect(indexTemplate('traces', { dataStreams: true, types })).toMatchObject({
    index_patterns: ['traces-freshet.otel-*'],
    data_stream: {},
    template: {
      lifecycle: { data_retention: '7d' },
      mappings: {
        properties: {
          data_stream: { properties: { type: { type: 'constant_keyword' } } },
          body: { properties: { text: { type: 'match_only_text' } } },
        },
      },
    },
  })
})

test('a small server gets plain indices, with types that it has', () => {
  const template = indexTemplate('logs', { dataStreams: false, types: new Set() })
  expect(template).not.toHaveProperty('data_stream')
  expect(template).toMatchObject({
    index_patterns: ['logs-freshet.otel-*'],
    template: {
      mappings: {
        properties: {
          data_stream: { properties: { type: { type: 'keyword' } } },
          body: { properties: { text: { type: 'text' } } },
          attributes: { properties: { 'exception.stacktrace': { type: 'text' } } },
        },
      },
    },
  })
})
