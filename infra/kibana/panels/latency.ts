import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Panel } from '../describe/panel.ts'

export const latency: Panel = {
  id: 'freshet-latency',
  title: 'How long a step takes, by stage',
  description:
    'Of the spans of each stage: a page, a batch, a flush, a look of the watchdog. Under load only some batches have one.',
  dataView: 'traces',
  query: `${ATTRIBUTES.stage} : *`,
  draw: 'table',
  groups: [{ label: 'Stage', field: ATTRIBUTES.stage, size: 12 }],
  figures: [
    { label: 'p99', figure: { kind: 'percentile', of: 'duration', percentile: 99 } },
    { label: 'p95', figure: { kind: 'percentile', of: 'duration', percentile: 95 } },
    { label: 'p50', figure: { kind: 'percentile', of: 'duration', percentile: 50 } },
    { label: 'Spans', figure: { kind: 'count' } },
  ],
}
