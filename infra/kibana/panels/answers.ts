import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Panel } from '../describe/panel.ts'

export const answers: Panel = {
  id: 'freshet-answers',
  title: 'Answers by source',
  description:
    'Answers per second of all gateways, by where they came from. Redis (cache) and the model (live) are as fresh as can be; the snapshot is up to a minute older; default means that nothing had a score.',
  dataView: 'metrics',
  query: 'freshet.answers : *',
  draw: 'stackedBars',
  groups: [{ label: 'Source', field: ATTRIBUTES.answerSource, size: 10 }],
  figures: [{ label: 'Answers', figure: { kind: 'sum', of: 'freshet.answers' }, perSecond: true }],
}
