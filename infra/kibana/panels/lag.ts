import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Panel } from '../describe/panel.ts'

export const lag: Panel = {
  id: 'freshet-lag',
  title: 'Lag, by consumer group',
  description:
    'How long the oldest message waits that a group has not done with: infer scores, cache writes to Redis, snapshot to S3. As the watchdog sees it.',
  dataView: 'metrics',
  query: 'freshet.lag.time : *',
  draw: 'lines',
  groups: [{ label: 'Group', field: ATTRIBUTES.messagingGroup, size: 10 }],
  figures: [
    {
      label: 'Lag',
      figure: { kind: 'max', of: 'freshet.lag.time' },
      format: { decimals: 1, suffix: ' s' },
    },
  ],
}
