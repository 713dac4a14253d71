/**
 * What Kibana asks Elasticsearch for a picture of Lens: the search of its `formBased` state, built from the saved object
 * alone. It covers what `rules/lens-shape.kit.ts` lets pass, which is all that we write: time, top values, count, sum,
 * max, average, percentile, a filter on a figure, a rate per second. It leaves out what changes no number here: the
 * pauses and colours of Kibana, its sessions of searching, its rounding of the time range.
 */
import type { estypes } from '@elastic/elasticsearch'
import { kqlToQuery, type Query } from '../kql/to-query.kit.ts'
import type { LensColumn, LensLayer } from '../rules/lens-shape.kit.ts'

type Aggregation = estypes.AggregationsAggregationContainer

export interface TimeRange {
  readonly fromMs: number
  readonly toMs: number
}

/** Kibana's advanced settings `histogram:maxBars` and `histogram:barTarget` decide on a step; this is what 75 bars ask for. */
const BARS = 75

export function stepSeconds({ fromMs, toMs }: TimeRange): number {
  return Math.max(1, Math.round((toMs - fromMs) / 1_000 / BARS))
}

export function lensSearch(layer: LensLayer, query: string, range: TimeRange): Search {
  return {
    size: 0,
    query: within(kqlToQuery(query), range),
    aggs: nested(layer.columnOrder, layer, range),
  }
}

interface Search {
  readonly size: number
  readonly query: Query
  readonly aggs: Record<string, Aggregation>
}

export function within(query: Query, { fromMs, toMs }: TimeRange): Query {
  const [gte, lte] = [new Date(fromMs), new Date(toMs)].map((date) => date.toISOString())
  return {
    bool: { filter: [{ range: { '@timestamp': { gte, lte, format: 'strict_date_optional_time' } } }, query] },
  }
}

/** Groups lie in one another in the order of the columns; the figures lie side by side in the innermost. */
function nested(order: readonly string[], layer: LensLayer, range: TimeRange): Record<string, Aggregation> {
  const [first, ...rest] = order
  const column = first === undefined ? undefined : layer.columns[first]
  if (first === undefined || column === undefined || !column.isBucketed) return figures(order, layer)
  // A group that is ordered by a figure needs it beside what lies in it.
  const orderedBy = column.operationType === 'terms' ? [column.params.orderBy.columnId] : []
  return {
    [first]: {
      ...group(column, layer, range),
      aggs: { ...figures(orderedBy, layer), ...nested(rest, layer, range) },
    },
  }
}

function group(column: LensColumn, { columns }: LensLayer, range: TimeRange): Aggregation {
  if (column.operationType === 'date_histogram')
    return {
      date_histogram: {
        field: column.sourceField,
        fixed_interval: `${stepSeconds(range)}s`,
        time_zone: 'UTC',
        min_doc_count: column.params.includeEmptyRows ? 0 : 1,
        extended_bounds: { min: range.fromMs, max: range.toMs },
      },
    }
  if (column.operationType !== 'terms') throw new Error(`${column.operationType} makes no groups`)
  const { size, orderBy, orderDirection } = column.params
  return {
    terms: {
      field: column.sourceField,
      size,
      order: { [orderPath(orderBy.columnId, columns[orderBy.columnId]!)]: orderDirection },
    },
  }
}

function orderPath(id: string, column: LensColumn): string {
  if (column.operationType === 'count') return '_count'
  return column.operationType === 'percentile' ? `${id}.${column.params.percentile}` : id
}

function figures(ids: readonly string[], { columns }: LensLayer): Record<string, Aggregation> {
  const asked: Record<string, Aggregation> = {}
  for (const id of ids) {
    const column = columns[id]!
    const own = figure(column)
    const filter = 'filter' in column ? column.filter : undefined
    if (filter !== undefined) {
      const aggs: Record<string, Aggregation> = own === null ? {} : { [id]: own }
      asked[id] = { filter: kqlToQuery(filter.query), aggs }
    } else if (own !== null) asked[id] = own
  }
  return asked
}

/** null: what is counted are the documents, which every group does by itself. */
function figure(column: LensColumn): Aggregation | null {
  const { sourceField: field } = column
  switch (column.operationType) {
    case 'count':
      return null
    case 'sum':
      return { sum: { field } }
    case 'max':
      return { max: { field } }
    case 'average':
      return { avg: { field } }
    case 'percentile':
      return { percentiles: { field, percents: [column.params.percentile] } }
    default:
      throw new Error(`${column.operationType} is no figure`)
  }
}
