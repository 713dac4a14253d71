import { expect, test } from 'vitest'
import { OVERVIEW } from '../describe/overview.ts'
import { lensObject } from '../export/lens.ts'
import { freshness } from '../panels/freshness.ts'
import { latency } from '../panels/latency.ts'
import { lensSchema } from '../rules/lens-shape.kit.ts'
import { lensSearch } from './lens-to-search.kit.ts'
import { rowsOf } from './read-answer.kit.ts'

const range = { fromMs: Date.UTC(2026, 1, 3, 10), toMs: Date.UTC(2026, 1, 3, 11) }
const layerOf = (panel: Parameters<typeof lensObject>[0]) =>
  lensSchema.parse(lensObject(panel).attributes).state.datasourceStates.formBased.layers['l1']!

test('a table is asked as groups in groups, ordered by a figure beside them', () => {
  const { query, aggs } = lensSearch(layerOf(latency), latency.query, range)
  const p99 = { percentiles: { field: 'duration', percents: [99] } }
  expect(aggs).toEqual({
    group1: {
      terms: { field: 'freshet.stage', size: 12, order: { 'figure1.99': 'desc' } },
      aggs: {
        figure1: p99,
        figure2: { percentiles: { field: 'duration', percents: [95] } },
        figure3: { percentiles: { field: 'duration', percents: [50] } },
      },
    },
  })
  expect(query).toMatchObject({
    bool: {
      filter: [
        { range: { '@timestamp': { gte: '2026-02-03T10:00:00.000Z', lte: '2026-02-03T11:00:00.000Z' } } },
        { bool: { should: [{ exists: { field: 'freshet.stage' } }] } },
      ],
    },
  })
})

test('lines are asked step by step, and a figure with a filter within it', () => {
  const { aggs } = lensSearch(layerOf(freshness), freshness.query, range)
  expect(aggs).toMatchObject({
    time: {
      date_histogram: { field: '@timestamp', fixed_interval: '48s', min_doc_count: 0 },
      aggs: {
        figure1: {
          filter: { bool: { should: [{ match_phrase: { 'freshet.quantile': 'p50' } }] } },
          aggs: { figure1: { max: { field: 'freshet.cache.freshness' } } },
        },
      },
    },
  })
})

test('an answer is read as it is drawn', () => {
  const time = { key: range.fromMs, key_as_string: '10:00' }
  const aggregations = {
    time: {
      buckets: [
        {
          ...time,
          doc_count: 3,
          figure1: { doc_count: 2, figure1: { value: 0.5 } },
          figure2: { doc_count: 0, figure2: { value: null } },
        },
      ],
    },
  }
  expect(rowsOf(layerOf(freshness), aggregations, 48)).toEqual([
    { time: '10:00', figure1: 0.5, figure2: null },
  ])
})

test('every picture of the dashboard can be asked for', () => {
  for (const { panel } of OVERVIEW.placed)
    expect(lensSearch(layerOf(panel), panel.query, range).aggs).toBeDefined()
})
