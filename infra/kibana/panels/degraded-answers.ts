import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Panel } from '../describe/panel.ts'

export const degradedAnswers: Panel = {
  id: 'freshet-degraded-answers',
  title: 'Degraded answers, by reason',
  description:
    'Answers per second that a better source should have given, by why it did not. docs/gateway.md says of each reason what is broken.',
  dataView: 'metrics',
  query: 'freshet.answers.degraded : *',
  draw: 'stackedBars',
  groups: [{ label: 'Reason', field: ATTRIBUTES.answerReason, size: 10 }],
  figures: [{ label: 'Degraded', figure: { kind: 'sum', of: 'freshet.answers.degraded' }, perSecond: true }],
}
