import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Panel } from '../describe/panel.ts'

const LONG_BY_NATURE = `${ATTRIBUTES.stage} : ("sweep" or "verify" or "watch")`

export const slowestTraces: Panel = {
  id: 'freshet-slowest',
  title: 'Slowest traces',
  description:
    'Requests, pages, batches and flushes, by the span that they begin with; the id leads to all of their spans. Sweeps, verifications and looks of the watchdog are left out: they are long by nature.',
  dataView: 'traces',
  query: `(kind : "Server" or not parent_span_id : *) and not ${LONG_BY_NATURE}`,
  draw: 'table',
  groups: [
    { label: 'Trace', field: 'trace_id', size: 20 },
    { label: 'Begins with', field: 'name', size: 1 },
    { label: 'Service', field: 'service.name', size: 1 },
  ],
  figures: [{ label: 'Took', figure: { kind: 'max', of: 'duration' } }],
}
