import type { Panel } from '../describe/panel.ts'

export const slowestTraces: Panel = {
  id: 'freshet-slowest',
  title: 'Slowest traces',
  description: 'By the span that they begin with; the id leads to all of their spans.',
  dataView: 'traces',
  query: 'kind : "Server" or not parent_span_id : *',
  draw: 'table',
  groups: [
    { label: 'Trace', field: 'trace_id', size: 20 },
    { label: 'Begins with', field: 'name', size: 1 },
    { label: 'Service', field: 'service.name', size: 1 },
  ],
  figures: [{ label: 'Took', figure: { kind: 'max', of: 'duration' } }],
}
