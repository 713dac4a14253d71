import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { DATA_VIEW_IDS, type DataViewName, SESSION_IDS } from '../object-ids.ts'
import { type RisonValue, risonInAddress } from '../rison.ts'
import type { Field } from './panel.ts'

/** How Kibana shows a field: its `fieldFormatMap`. */
type Format =
  | { readonly id: 'duration'; readonly params: Readonly<Record<string, string | number | boolean>> }
  | { readonly id: 'url'; readonly params: Readonly<Record<string, string>> }

export interface DataViewSpec {
  readonly name: DataViewName
  readonly title: string
  readonly pattern: string
  readonly formats: Partial<Record<Field, Format>>
}

/** From a trace's id to all of its spans. */
const TRACE = link('discover#/', {
  dataSource: { type: 'dataView', dataViewId: DATA_VIEW_IDS.traces },
  columns: ['service.name', 'name', 'duration', 'status.code'],
  query: { language: 'kuery', query: 'trace_id : "{{value}}"' },
  sort: [['@timestamp', 'asc']],
})

/** From a document's key to its way. */
const KEY = link(`discover#/view/${SESSION_IDS.documentJourney}`, {
  query: { language: 'kuery', query: `${ATTRIBUTES.key} : "{{value}}"` },
})

/** To a page in the same space, with the field's value in its query: Kibana puts what stands before `discover`. */
function link(page: string, state: RisonValue): Format {
  const address = risonInAddress(state).replace('%7B%7Bvalue%7D%7D', '{{value}}')
  return { id: 'url', params: { urlTemplate: `${page}?_a=${address}`, labelTemplate: '{{value}}' } }
}

function milliseconds(outputPrecision: number): Format {
  return {
    id: 'duration',
    params: {
      inputFormat: 'milliseconds',
      outputFormat: 'humanizePrecise',
      outputPrecision,
      useShortSuffix: true,
    },
  }
}

export const DATA_VIEWS: readonly DataViewSpec[] = [
  {
    name: 'traces',
    title: 'Freshet traces',
    pattern: 'traces-freshet.otel-*',
    formats: {
      duration: {
        id: 'duration',
        params: {
          inputFormat: 'nanoseconds',
          outputFormat: 'humanizePrecise',
          outputPrecision: 2,
          useShortSuffix: true,
        },
      },
      [ATTRIBUTES.answerAgeMs]: milliseconds(1),
      [ATTRIBUTES.documentAgeMs]: milliseconds(1),
      [ATTRIBUTES.key]: KEY,
      trace_id: TRACE,
    },
  },
  {
    name: 'logs',
    title: 'Freshet logs',
    pattern: 'logs-freshet.otel-*',
    formats: { [ATTRIBUTES.key]: KEY, trace_id: TRACE },
  },
  { name: 'metrics', title: 'Freshet metrics', pattern: 'metrics-freshet.otel-*', formats: {} },
]
