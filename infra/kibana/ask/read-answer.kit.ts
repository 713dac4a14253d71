import type { LensColumn, LensLayer } from '../rules/lens-shape.kit.ts'

/** A row of a table, or a point of a line: what is drawn, by the id of its column. */
export type Row = Readonly<Record<string, string | number | null>>

interface Bucket {
  readonly key: string | number
  readonly key_as_string?: string
  readonly doc_count: number
}

type Answer = Readonly<Record<string, unknown>>

/** What Kibana draws of the aggregations that answer `lensSearch`: a figure is null where there is nothing to draw. */
export function rowsOf(layer: LensLayer, aggregations: Answer, stepSeconds: number): readonly Row[] {
  return rowsWithin(layer.columnOrder, { ...aggregations, doc_count: 0 }, layer, stepSeconds)
}

function rowsWithin(
  order: readonly string[],
  answer: Answer,
  layer: LensLayer,
  stepSeconds: number,
): readonly Row[] {
  const [first, ...rest] = order
  const column = first === undefined ? undefined : layer.columns[first]
  if (first === undefined || column === undefined || !column.isBucketed)
    return [
      Object.fromEntries(order.map((id) => [id, figureOf(id, layer.columns[id]!, answer, stepSeconds)])),
    ]
  const { buckets } = answer[first] as { buckets: readonly (Bucket & Answer)[] }
  return buckets.flatMap((bucket) =>
    rowsWithin(rest, bucket, layer, stepSeconds).map((row) => ({
      [first]: bucket.key_as_string ?? bucket.key,
      ...row,
    })),
  )
}

function figureOf(id: string, column: LensColumn, answer: Answer, stepSeconds: number): number | null {
  const isFiltered = 'filter' in column && column.filter !== undefined
  const own = isFiltered ? (answer[id] as Answer) : answer
  const value = numberOf(column, id, own)
  if (value === null || !('timeScale' in column) || column.timeScale === undefined) return value
  return value / stepSeconds
}

function numberOf(column: LensColumn, id: string, answer: Answer): number | null {
  const documents = answer['doc_count'] as number
  if (column.operationType === 'count') return documents === 0 ? null : documents
  const found = answer[id] as { value?: number | null; values?: Readonly<Record<string, number | null>> }
  if (column.operationType === 'percentile') return Object.values(found.values ?? {})[0] ?? null
  // Elasticsearch says 0 for the sum of nothing; `emptyAsNull` draws nothing then.
  if (column.operationType === 'sum' && documents === 0) return null
  return found.value ?? null
}
