import type { AttributeName } from '@freshet/stage/attributes.ts'
import type { MetricName } from '@freshet/telemetry/metrics-table.ts'
import type { DataViewName } from '../object-ids.ts'

/** Fields of every telemetry document that are no attributes. `parent_span_id` is absent in the root of a trace. */
type DocumentField =
  | '@timestamp'
  | 'duration'
  | 'event_name'
  | 'kind'
  | 'message'
  | 'name'
  | 'parent_span_id'
  | 'service.name'
  | 'severity_number'
  | 'severity_text'
  | 'status.code'
  | 'trace_id'

/** What a column may speak of: names stand in the tables of attributes and metrics, so a renamed one does not compile. */
export type Field = DocumentField | AttributeName | MetricName | 'service.instance.id'

/** One number of each group of documents. */
type Figure =
  | { readonly kind: 'count' }
  | { readonly kind: 'sum' | 'max' | 'average'; readonly of: Field }
  | { readonly kind: 'percentile'; readonly of: Field; readonly percentile: number }

export interface FigureColumn {
  readonly label: string
  readonly figure: Figure
  /** KQL: only these documents count for the column. */
  readonly where?: string
  /** For sums and counts along time: divided by the seconds of each step. */
  readonly perSecond?: true
  /** What a number is, where the field does not say so itself. */
  readonly format?: NumberFormat
}

export interface NumberFormat {
  readonly decimals: number
  readonly suffix?: string
}

export interface TopColumn {
  readonly label: string
  readonly field: Field
  /** The groups with the largest first figure; others are left out. */
  readonly size: number
}

/** What one picture of the dashboard shows, in our words; `export/lens.ts` says it in Kibana's. */
export interface Panel {
  readonly id: `freshet-${string}`
  readonly title: string
  /** One or two sentences for who reads it: what it is made from, what a bad one looks like. */
  readonly description: string
  readonly dataView: DataViewName
  /** KQL: which documents it is made from. */
  readonly query: string
  readonly draw: 'lines' | 'stackedBars' | 'table'
  /** Lines and bars have at most one; rows of a table are made of all. */
  readonly groups: readonly TopColumn[]
  readonly figures: readonly [FigureColumn, ...FigureColumn[]]
}
