import type { Panel } from '../describe/panel.ts'

export const throughput: Panel = {
  id: 'freshet-throughput',
  title: 'Throughput by stage',
  description:
    'Documents per second at each stage of the way. The four lines lie on each other while all is well: one that stays below the one before it is where documents wait. Snapshots come in bursts.',
  dataView: 'metrics',
  query: '',
  draw: 'lines',
  groups: [],
  figures: [
    { label: 'captured', figure: { kind: 'sum', of: 'freshet.poller.changes' }, perSecond: true },
    { label: 'scored', figure: { kind: 'sum', of: 'freshet.scorer.scored' }, perSecond: true },
    { label: 'in Redis', figure: { kind: 'sum', of: 'freshet.cache.rows' }, perSecond: true },
    { label: 'in the snapshot', figure: { kind: 'sum', of: 'freshet.snapshot.rows' }, perSecond: true },
  ],
}
