import type { Panel } from '../describe/panel.ts'

const SECONDS = { decimals: 2, suffix: ' s' }

export const freshness: Panel = {
  id: 'freshet-freshness',
  title: 'Freshness: p50 and p99',
  description:
    'From when the poller saw a document until Redis had its score, of the documents of the minute before. Nothing is drawn while nothing changes. Of several scorers the worst is shown.',
  dataView: 'metrics',
  query: 'freshet.cache.freshness : *',
  draw: 'lines',
  groups: [],
  figures: [
    {
      label: 'p50',
      figure: { kind: 'max', of: 'freshet.cache.freshness' },
      where: 'freshet.quantile : "p50"',
      format: SECONDS,
    },
    {
      label: 'p99',
      figure: { kind: 'max', of: 'freshet.cache.freshness' },
      where: 'freshet.quantile : "p99"',
      format: SECONDS,
    },
  ],
}
